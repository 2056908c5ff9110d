/* SPDX-License-Identifier: MIT */
/*
 * A guest in memory, with all emulated instructions in a scope around it. The encodings are those
 * of the tests in the machine.
 */
#ifndef ISA_GUEST_H
#define ISA_GUEST_H

#include "support.h"

#include <hatch/access.h>
#include <hatch/handlers/isa.h>

#include "../../src/core/apply.h"
#include "../qemu/core/isa_forms.h"

#define RANDOM 1000000 /* operands for each instruction */

static struct world world;
static struct hatch_emulator emulator;
static struct hatch_scope scope;

/* ---- what access.c is in the machine ------------------------------------------------------ */

static bool fp_off, fp_dirty;
static uint8_t bytes[64]; /* all of the guest's memory, at 0 */

int hatch_cont_get_f(struct hatch_cont *k, unsigned int n, uint64_t *value)
{
	*value = k->vcpu->fp[n];
	return fp_off ? HATCH_ENOTSUP : 0;
}

int hatch_cont_set_f(struct hatch_cont *k, unsigned int n, uint64_t value)
{
	if (fp_off)
		return HATCH_ENOTSUP;
	k->vcpu->fp[n] = value;
	fp_dirty = true;
	return 0;
}

int hatch_cont_get_fcsr(struct hatch_cont *k, uint64_t *fcsr)
{
	*fcsr = k->vcpu->fcsr;
	return fp_off ? HATCH_ENOTSUP : 0;
}

int hatch_cont_set_fcsr(struct hatch_cont *k, uint64_t fcsr)
{
	k->vcpu->fcsr = fcsr;
	fp_dirty = true;
	return 0;
}

static int fault(uint64_t cause, hatch_gva at, struct hatch_trap *trap)
{
	*trap = (struct hatch_trap){ .scause = cause, .stval = at.addr };
	return HATCH_EFAULT;
}

int hatch_cont_load(const struct hatch_cont *k, hatch_gva at, unsigned int width, uint64_t *value,
		    struct hatch_trap *trap)
{
	(void)k;
	if (at.addr > sizeof(bytes) - width)
		return fault(CAUSE_LOAD_PAGE_FAULT, at, trap);
	*value = 0;
	memcpy(value, bytes + at.addr, width);
	return 0;
}

int hatch_cont_store(const struct hatch_cont *k, hatch_gva at, unsigned int width, uint64_t value,
		     struct hatch_trap *trap)
{
	(void)k;
	if (at.addr > sizeof(bytes) - width)
		return fault(CAUSE_STORE_PAGE_FAULT, at, trap);
	memcpy(bytes + at.addr, &value, width);
	return 0;
}

/* ---- running one -------------------------------------------------------------------------- */

static int setup(void **state)
{
	(void)state;
	world_init(&world);
	fp_off = false;
	assert_int_equal(hatch_emulator_init(&emulator, "all"), 0);
	hatch_scope_init(&scope, "scope", NULL);
	assert_int_equal(hatch_emulator_add(&emulator, &scope), 0);
	hatch_scope_seal(&scope);
	return 0;
}

static struct hatch_event event_of(uint32_t insn)
{
	struct hatch_event ev = { .kind = HATCH_ILLEGAL };

	ev.illegal.encoding = insn;
	ev.length = (uint8_t)hatch_insn_length(insn);
	return ev;
}

static const struct hatch_catch *clause_of(uint32_t insn)
{
	const struct hatch_event ev = event_of(insn);

	return hatch_scope_find(&scope, &ev);
}

/* Executes the instruction, whose clause this is. */
static enum hatch_verdict execute(const struct hatch_catch *clause, uint32_t insn)
{
	const struct hatch_event ev = event_of(insn);
	enum hatch_verdict verdict;

	world.cont = (struct hatch_cont){ .vcpu = &world.vcpu };
	verdict = clause->handler(clause->arg, &ev, &world.cont);
	assert_true(clause->may & HATCH_MAY(verdict));
	assert_int_equal(verdict, world.cont.verdict);
	assert_int_equal(hatch_apply_check(&ev, verdict), 0);
	if (verdict == HATCH_RESUME || verdict == HATCH_SKIP)
		hatch_apply(&world.vcpu, &ev, &world.cont);
	return verdict;
}

static inline const struct form *form_of(const char *name)
{
	for (const struct form *form = forms; form->name; form++)
		if (!strcmp(form->name, name))
			return form;
	fail_msg("no form of %s", name);
	return NULL;
}

#endif
