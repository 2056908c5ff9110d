/* SPDX-License-Identifier: MIT */
/* Zba: addresses of array elements (Unprivileged ISA 20240411, 28.4.1). */
#include "isa_internal.h"

#define OP     HATCH_ISA_OP
#define OP_32  HATCH_ISA_OP_32
#define IMM_32 HATCH_ISA_OP_IMM_32

static uint64_t sh1add(uint64_t a, uint64_t b)
{
	return (a << 1) + b;
}

static uint64_t sh2add(uint64_t a, uint64_t b)
{
	return (a << 2) + b;
}

static uint64_t sh3add(uint64_t a, uint64_t b)
{
	return (a << 3) + b;
}

static uint64_t add_uw(uint64_t a, uint64_t b)
{
	return (uint32_t)a + b;
}

static uint64_t sh1add_uw(uint64_t a, uint64_t b)
{
	return sh1add((uint32_t)a, b);
}

static uint64_t sh2add_uw(uint64_t a, uint64_t b)
{
	return sh2add((uint32_t)a, b);
}

static uint64_t sh3add_uw(uint64_t a, uint64_t b)
{
	return sh3add((uint32_t)a, b);
}

static uint64_t slli_uw(uint64_t a, uint64_t b)
{
	return (uint64_t)(uint32_t)a << b;
}

static const struct hatch_isa_op ops[] = {
	HATCH_ISA_R("sh1add", 0x10, 2, OP, sh1add),
	HATCH_ISA_R("sh2add", 0x10, 4, OP, sh2add),
	HATCH_ISA_R("sh3add", 0x10, 6, OP, sh3add),
	HATCH_ISA_R("add.uw", 0x04, 0, OP_32, add_uw),
	HATCH_ISA_R("sh1add.uw", 0x10, 2, OP_32, sh1add_uw),
	HATCH_ISA_R("sh2add.uw", 0x10, 4, OP_32, sh2add_uw),
	HATCH_ISA_R("sh3add.uw", 0x10, 6, OP_32, sh3add_uw),
	HATCH_ISA_I6("slli.uw", 0x02, 1, IMM_32, slli_uw),
};

const struct hatch_isa_table hatch_isa_zba = HATCH_ISA_TABLE("zba", ops);
