/* SPDX-License-Identifier: MIT */
/* Zbb: basic bit manipulation (Unprivileged ISA 20240411, 28.4.2). */
#include "isa_internal.h"

#define OP     HATCH_ISA_OP
#define OP_32  HATCH_ISA_OP_32
#define IMM    HATCH_ISA_OP_IMM
#define IMM_32 HATCH_ISA_OP_IMM_32

static uint64_t andn(uint64_t a, uint64_t b)
{
	return a & ~b;
}

static uint64_t orn(uint64_t a, uint64_t b)
{
	return a | ~b;
}

static uint64_t xnor(uint64_t a, uint64_t b)
{
	return ~(a ^ b);
}

/* The builtins leave zero open; here the answer is the width. */
static uint64_t clz(uint64_t a, uint64_t b)
{
	(void)b;
	return a ? (uint64_t)__builtin_clzll(a) : 64;
}

static uint64_t ctz(uint64_t a, uint64_t b)
{
	(void)b;
	return a ? (uint64_t)__builtin_ctzll(a) : 64;
}

static uint64_t cpop(uint64_t a, uint64_t b)
{
	(void)b;
	return (uint64_t)__builtin_popcountll(a);
}

/* Thirty-two ones below, so that the count stops there. */
static uint64_t clzw(uint64_t a, uint64_t b)
{
	return clz(a << 32 | UINT32_MAX, b);
}

static uint64_t ctzw(uint64_t a, uint64_t b)
{
	return ctz(a | (uint64_t)1 << 32, b);
}

static uint64_t cpopw(uint64_t a, uint64_t b)
{
	return cpop((uint32_t)a, b);
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return (int64_t)a > (int64_t)b ? a : b;
}

static uint64_t maxu(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return (int64_t)a < (int64_t)b ? a : b;
}

static uint64_t minu(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t sext_b(uint64_t a, uint64_t b)
{
	(void)b;
	return hatch_insn_extend(a, 1, true);
}

static uint64_t sext_h(uint64_t a, uint64_t b)
{
	(void)b;
	return hatch_insn_extend(a, 2, true);
}

static uint64_t zext_h(uint64_t a, uint64_t b)
{
	(void)b;
	return (uint16_t)a;
}

static uint64_t rol(uint64_t a, uint64_t b)
{
	return a << (b & 63) | a >> (-b & 63);
}

static uint64_t ror(uint64_t a, uint64_t b)
{
	return rol(a, -b);
}

static uint64_t rolw(uint64_t a, uint64_t b)
{
	uint32_t word = (uint32_t)a;

	return hatch_isa_word(word << (b & 31) | word >> (-b & 31));
}

static uint64_t rorw(uint64_t a, uint64_t b)
{
	return rolw(a, -b);
}

/* Each byte that is not 0 becomes all ones: a bit of it is moved to bit 0, then spread. */
static uint64_t orc_b(uint64_t a, uint64_t b)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);

	(void)b;
	a |= a >> 4 & ones * 0x0f;
	a |= a >> 2 & ones * 0x3f;
	a |= a >> 1 & ones * 0x7f;
	return (a & ones) * 0xff;
}

static uint64_t rev8(uint64_t a, uint64_t b)
{
	(void)b;
	return __builtin_bswap64(a);
}

static const struct hatch_isa_op ops[] = {
	HATCH_ISA_R("andn", 0x20, 7, OP, andn),
	HATCH_ISA_R("orn", 0x20, 6, OP, orn),
	HATCH_ISA_R("xnor", 0x20, 4, OP, xnor),
	HATCH_ISA_1("clz", 0x600, 1, IMM, clz),
	HATCH_ISA_1("ctz", 0x601, 1, IMM, ctz),
	HATCH_ISA_1("cpop", 0x602, 1, IMM, cpop),
	HATCH_ISA_1("clzw", 0x600, 1, IMM_32, clzw),
	HATCH_ISA_1("ctzw", 0x601, 1, IMM_32, ctzw),
	HATCH_ISA_1("cpopw", 0x602, 1, IMM_32, cpopw),
	HATCH_ISA_R("min", 0x05, 4, OP, min),
	HATCH_ISA_R("minu", 0x05, 5, OP, minu),
	HATCH_ISA_R("max", 0x05, 6, OP, max),
	HATCH_ISA_R("maxu", 0x05, 7, OP, maxu),
	HATCH_ISA_1("sext.b", 0x604, 1, IMM, sext_b),
	HATCH_ISA_1("sext.h", 0x605, 1, IMM, sext_h),
	HATCH_ISA_1("zext.h", 0x080, 4, OP_32, zext_h),
	HATCH_ISA_R("rol", 0x30, 1, OP, rol),
	HATCH_ISA_R("ror", 0x30, 5, OP, ror),
	HATCH_ISA_I6("rori", 0x18, 5, IMM, ror),
	HATCH_ISA_R("rolw", 0x30, 1, OP_32, rolw),
	HATCH_ISA_R("rorw", 0x30, 5, OP_32, rorw),
	HATCH_ISA_I5("roriw", 0x30, 5, IMM_32, rorw),
	HATCH_ISA_1("orc.b", 0x287, 5, IMM, orc_b),
	HATCH_ISA_1("rev8", 0x6b8, 5, IMM, rev8),
};

const struct hatch_isa_table hatch_isa_zbb = HATCH_ISA_TABLE("zbb", ops);
