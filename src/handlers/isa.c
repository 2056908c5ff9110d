/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "isa_internal.h"

static const struct hatch_isa_table *const tables[] = {
	&hatch_isa_zba,	   &hatch_isa_zbb, &hatch_isa_zbs,
	&hatch_isa_zicond, &hatch_isa_zcb, &hatch_isa_zfa,
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

/* Extensions that are refused with a reason of their own. */
static const char *const atomics[] = { "a", "zaamo", "zalrsc", "zacas", "zabha", "zawrs" };

enum hatch_verdict hatch_isa_registers(const struct hatch_isa_op *op, uint32_t insn,
				       struct hatch_cont *k)
{
	return hatch_resume(k, op->integer(hatch_isa_x(k, hatch_isa_rs1(insn)),
					   hatch_isa_x(k, hatch_isa_rs2(insn))));
}

enum hatch_verdict hatch_isa_immediate(const struct hatch_isa_op *op, uint32_t insn,
				       struct hatch_cont *k)
{
	return hatch_resume(k, op->integer(hatch_isa_x(k, hatch_isa_rs1(insn)), insn >> 20 & 63));
}

static enum hatch_verdict on_missing(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_emulated *emulated = arg;
	const struct hatch_isa_op *op = emulated->op;
	enum hatch_verdict verdict = op->emulate(op, ev->illegal.encoding, k);

	/* What was thrown or injected is not done: it comes again, or never. */
	if (verdict == HATCH_RESUME || verdict == HATCH_SKIP)
		__atomic_fetch_add(&emulated->count, 1, __ATOMIC_RELAXED);
	return verdict;
}

static void take(struct hatch_emulator *emulator, const struct hatch_isa_table *table)
{
	const size_t used = strlen(emulator->extensions);

	snprintf(emulator->extensions + used, sizeof(emulator->extensions) - used, "%s%s",
		 used ? "," : "", table->extension);
	for (unsigned int i = 0; i < table->ops; i++) {
		const struct hatch_isa_op *op = &table->op[i];
		struct hatch_emulated *emulated = &emulator->op[emulator->ops++];

		*emulated = (struct hatch_emulated){
			.extension = table->extension,
			.name = op->name,
			.op = op,
			.clause = HATCH_ON_ILLEGAL(op->mask, op->match, on_missing, emulated),
		};
		emulated->clause.name = op->name;
		emulated->clause.may = HATCH_MAY(HATCH_RESUME) | HATCH_MAY(HATCH_SKIP) |
				       HATCH_MAY(HATCH_INJECT) | HATCH_MAY(HATCH_THROW);
	}
}

/* The clause of atomics: an illegal instruction is what it is, and we know why. */
static enum hatch_verdict on_atomic(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_refused *refused = arg;

	if (!__atomic_fetch_add(&refused->count, 1, __ATOMIC_RELAXED)) {
		refused->encoding = ev->illegal.encoding;
		refused->pc = hatch_cont_pc(k);
	}
	return hatch_inject(k, CAUSE_ILLEGAL_INSTRUCTION, hatch_cont_tval(k));
}

static void refuse_atomics(struct hatch_refused *refused)
{
	*refused = (struct hatch_refused){
		.clause = HATCH_ON_ILLEGAL(0x7f, HATCH_ISA_AMO, on_atomic, refused),
	};
	refused->clause.name = "missing atomic";
	refused->clause.may = HATCH_MAY(HATCH_INJECT);
}

static bool is_called(const char *name, const char *wanted, size_t length)
{
	return strlen(name) == length && !memcmp(name, wanted, length);
}

static bool is_atomic(const char *wanted, size_t length)
{
	for (size_t i = 0; i < sizeof(atomics) / sizeof(atomics[0]); i++)
		if (is_called(atomics[i], wanted, length))
			return true;
	return false;
}

/* One name of the list. An extension that was named before is taken once. */
static int choose(const char *wanted, size_t length, bool chosen[TABLES])
{
	bool all = is_called("all", wanted, length), found = all;

	for (size_t i = 0; i < TABLES; i++) {
		if (!all && !is_called(tables[i]->extension, wanted, length))
			continue;
		chosen[i] = true;
		found = true;
	}
	if (found)
		return 0;
	return is_atomic(wanted, length) ? HATCH_ENOTSUP : HATCH_ENOENT;
}

int hatch_emulator_init(struct hatch_emulator *emulator, const char *extensions)
{
	bool chosen[TABLES] = { false };
	const char *at = extensions;
	int error;

	emulator->ops = 0;
	emulator->extensions[0] = '\0';
	refuse_atomics(&emulator->atomic);
	for (;;) {
		size_t length = strcspn(at, ",");

		error = choose(at, length, chosen);
		if (error)
			return error;
		at += length;
		if (!*at)
			break;
		at++;
	}
	for (size_t i = 0; i < TABLES; i++)
		if (chosen[i])
			take(emulator, tables[i]);
	return 0;
}

int hatch_emulator_add(struct hatch_emulator *emulator, struct hatch_scope *scope)
{
	int error = hatch_catch_add(scope, &emulator->atomic.clause);
	unsigned int i;

	if (error)
		return error;
	for (i = 0; i < emulator->ops && !error; i++)
		error = hatch_catch_add(scope, &emulator->op[i].clause);
	if (!error)
		return 0;
	for (i--; i-- > 0;)
		hatch_catch_remove(scope, &emulator->op[i].clause);
	hatch_catch_remove(scope, &emulator->atomic.clause);
	return error;
}

/* More often, or as often and earlier in the table: an order without ties. */
static bool is_above(const struct hatch_emulated *a, const struct hatch_emulated *b)
{
	return a->count > b->count || (a->count == b->count && a < b);
}

const struct hatch_emulated *hatch_emulator_rank(const struct hatch_emulator *emulator,
						 unsigned int rank)
{
	for (unsigned int i = 0; i < emulator->ops; i++) {
		unsigned int above = 0;

		for (unsigned int j = 0; j < emulator->ops; j++)
			above += is_above(&emulator->op[j], &emulator->op[i]);
		if (above == rank)
			return emulator->op[i].count ? &emulator->op[i] : NULL;
	}
	return NULL;
}

uint64_t hatch_emulator_total(const struct hatch_emulator *emulator)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < emulator->ops; i++)
		total += emulator->op[i].count;
	return total;
}
