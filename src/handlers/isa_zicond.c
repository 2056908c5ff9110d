/* SPDX-License-Identifier: MIT */
/* Zicond: a value or zero, by a condition and without a branch (Zicond 1.0.1). */
#include "isa_internal.h"

static uint64_t czero_eqz(uint64_t a, uint64_t b)
{
	return b ? a : 0;
}

static uint64_t czero_nez(uint64_t a, uint64_t b)
{
	return b ? 0 : a;
}

static const struct hatch_isa_op ops[] = {
	HATCH_ISA_R("czero.eqz", 0x07, 5, HATCH_ISA_OP, czero_eqz),
	HATCH_ISA_R("czero.nez", 0x07, 7, HATCH_ISA_OP, czero_nez),
};

const struct hatch_isa_table hatch_isa_zicond = HATCH_ISA_TABLE("zicond", ops);
