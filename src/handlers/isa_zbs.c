/* SPDX-License-Identifier: MIT */
/* Zbs: single bits (Unprivileged ISA 20240411, 28.4.4). */
#include "isa_internal.h"

#define OP  HATCH_ISA_OP
#define IMM HATCH_ISA_OP_IMM

static uint64_t bit(uint64_t n)
{
	return (uint64_t)1 << (n & 63);
}

static uint64_t bclr(uint64_t a, uint64_t b)
{
	return a & ~bit(b);
}

static uint64_t bext(uint64_t a, uint64_t b)
{
	return a >> (b & 63) & 1;
}

static uint64_t binv(uint64_t a, uint64_t b)
{
	return a ^ bit(b);
}

static uint64_t bset(uint64_t a, uint64_t b)
{
	return a | bit(b);
}

static const struct hatch_isa_op ops[] = {
	HATCH_ISA_R("bclr", 0x24, 1, OP, bclr), HATCH_ISA_I6("bclri", 0x12, 1, IMM, bclr),
	HATCH_ISA_R("bext", 0x24, 5, OP, bext), HATCH_ISA_I6("bexti", 0x12, 5, IMM, bext),
	HATCH_ISA_R("binv", 0x34, 1, OP, binv), HATCH_ISA_I6("binvi", 0x1a, 1, IMM, binv),
	HATCH_ISA_R("bset", 0x14, 1, OP, bset), HATCH_ISA_I6("bseti", 0x0a, 1, IMM, bset),
};

const struct hatch_isa_table hatch_isa_zbs = HATCH_ISA_TABLE("zbs", ops);
