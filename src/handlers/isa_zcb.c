/* SPDX-License-Identifier: MIT */
/*
 * Zcb: more compressed forms of simple instructions (Unprivileged ISA 20240411, 27.4).
 *
 * The framework does not know where such an instruction has its result, so the handlers write the
 * register themselves and skip.
 */
#include <hatch/access.h>

#include "isa_internal.h"

/* Three bits name x8 to x15. */
static unsigned int low_register(uint32_t insn)
{
	return 8 + (insn >> 7 & 7);
}

static unsigned int second_register(uint32_t insn)
{
	return 8 + (insn >> 2 & 7);
}

static enum hatch_verdict finish(struct hatch_cont *k, unsigned int rd, uint64_t value)
{
	hatch_cont_set(k, rd, value);
	return hatch_skip(k);
}

/* rd = integer(rd, rs2) */
static enum hatch_verdict in_place(const struct hatch_isa_op *op, uint32_t insn,
				   struct hatch_cont *k)
{
	unsigned int rd = low_register(insn);

	return finish(k, rd,
		      op->integer(hatch_isa_x(k, rd), hatch_isa_x(k, second_register(insn))));
}

static hatch_gva address_of(const struct hatch_insn *insn, const struct hatch_cont *k)
{
	return hatch_gva_of(hatch_isa_x(k, insn->rs1) + (uint64_t)(int64_t)insn->imm);
}

static enum hatch_verdict load(const struct hatch_isa_op *op, uint32_t raw, struct hatch_cont *k)
{
	struct hatch_trap trap;
	struct hatch_insn insn;
	uint64_t value = 0;

	(void)op;
	hatch_insn_decode(raw, &insn);
	if (hatch_cont_load(k, address_of(&insn, k), insn.width, &value, &trap))
		return hatch_throw(k, &trap);
	return finish(k, insn.rd, hatch_insn_extend(value, insn.width, insn.is_signed));
}

static enum hatch_verdict store(const struct hatch_isa_op *op, uint32_t raw, struct hatch_cont *k)
{
	struct hatch_trap trap;
	struct hatch_insn insn;

	(void)op;
	hatch_insn_decode(raw, &insn);
	if (hatch_cont_store(k, address_of(&insn, k), insn.width, hatch_isa_x(k, insn.rs2), &trap))
		return hatch_throw(k, &trap);
	return hatch_skip(k);
}

static uint64_t zext_b(uint64_t a, uint64_t b)
{
	(void)b;
	return (uint8_t)a;
}

static uint64_t sext_b(uint64_t a, uint64_t b)
{
	(void)b;
	return hatch_insn_extend(a, 1, true);
}

static uint64_t zext_h(uint64_t a, uint64_t b)
{
	(void)b;
	return (uint16_t)a;
}

static uint64_t sext_h(uint64_t a, uint64_t b)
{
	(void)b;
	return hatch_insn_extend(a, 2, true);
}

static uint64_t zext_w(uint64_t a, uint64_t b)
{
	(void)b;
	return (uint32_t)a;
}

static uint64_t not(uint64_t a, uint64_t b)
{
	(void)b;
	return ~a;
}

static uint64_t mul(uint64_t a, uint64_t b)
{
	return a * b;
}

static const struct hatch_isa_op ops[] = {
	{ "c.lbu", 0xfc03, 0x8000, load, NULL, NULL },
	{ "c.lhu", 0xfc43, 0x8400, load, NULL, NULL },
	{ "c.lh", 0xfc43, 0x8440, load, NULL, NULL },
	{ "c.sb", 0xfc03, 0x8800, store, NULL, NULL },
	{ "c.sh", 0xfc43, 0x8c00, store, NULL, NULL },
	{ "c.zext.b", 0xfc7f, 0x9c61, in_place, zext_b, NULL },
	{ "c.sext.b", 0xfc7f, 0x9c65, in_place, sext_b, NULL },
	{ "c.zext.h", 0xfc7f, 0x9c69, in_place, zext_h, NULL },
	{ "c.sext.h", 0xfc7f, 0x9c6d, in_place, sext_h, NULL },
	{ "c.zext.w", 0xfc7f, 0x9c71, in_place, zext_w, NULL },
	{ "c.not", 0xfc7f, 0x9c75, in_place, not, NULL },
	{ "c.mul", 0xfc63, 0x9c41, in_place, mul, NULL },
};

const struct hatch_isa_table hatch_isa_zcb = HATCH_ISA_TABLE("zcb", ops);
