/* SPDX-License-Identifier: MIT */
/*
 * Zfa: additional floating-point instructions, of single and double precision (Unprivileged ISA
 * 20240411, chapter 22). Computed on the bits alone: what the host's floating-point unit holds
 * does not matter, and the flags are exact.
 */
#include "isa_internal.h"

struct hatch_isa_format {
	unsigned int fraction; /* bits */
	unsigned int exponent; /* bits */
};

static const struct hatch_isa_format single = { 23, 8 }, twice = { 52, 11 };

enum rounding {
	ROUND_NEAREST_EVEN = 0,
	ROUND_TO_ZERO = 1,
	ROUND_DOWN = 2,
	ROUND_UP = 3,
	ROUND_NEAREST_AWAY = 4,
	ROUND_DYNAMIC = 7, /* as fcsr says */
};

enum flag {
	FLAG_INEXACT = 1,
	FLAG_INVALID = 16,
};

/* ---- formats ------------------------------------------------------------------------------ */

static uint64_t low_bits(unsigned int n)
{
	return ((uint64_t)1 << n) - 1;
}

static uint64_t sign_bit(const struct hatch_isa_format *f)
{
	return (uint64_t)1 << (f->fraction + f->exponent);
}

static uint64_t infinity(const struct hatch_isa_format *f)
{
	return low_bits(f->exponent) << f->fraction;
}

static uint64_t quiet_bit(const struct hatch_isa_format *f)
{
	return (uint64_t)1 << (f->fraction - 1);
}

static uint64_t canonical_nan(const struct hatch_isa_format *f)
{
	return infinity(f) | quiet_bit(f);
}

static uint64_t magnitude(const struct hatch_isa_format *f, uint64_t a)
{
	return a & (sign_bit(f) - 1);
}

static bool is_negative(const struct hatch_isa_format *f, uint64_t a)
{
	return a & sign_bit(f);
}

static bool is_nan(const struct hatch_isa_format *f, uint64_t a)
{
	return magnitude(f, a) > infinity(f);
}

static bool is_signaling(const struct hatch_isa_format *f, uint64_t a)
{
	return is_nan(f, a) && !(a & quiet_bit(f));
}

static int bias(const struct hatch_isa_format *f)
{
	return (int)low_bits(f->exponent - 1);
}

/* The power of two; that of a subnormal number is taken for a bit less than the least. */
static int exponent(const struct hatch_isa_format *f, uint64_t a)
{
	return (int)(magnitude(f, a) >> f->fraction) - bias(f);
}

/* Numbers as integers of the same order, with -0 below +0. */
static int64_t order(const struct hatch_isa_format *f, uint64_t a)
{
	int64_t m = (int64_t)magnitude(f, a);

	return is_negative(f, a) ? -m - 1 : m;
}

/* A narrower value must be boxed, or it is taken for a NaN. */
static uint64_t unbox(const struct hatch_isa_format *f, uint64_t value)
{
	if (f == &twice)
		return value;
	return value >> 32 == UINT32_MAX ? (uint32_t)value : canonical_nan(f);
}

static uint64_t box(const struct hatch_isa_format *f, uint64_t value)
{
	return f == &twice ? value : value | (uint64_t)UINT32_MAX << 32;
}

/* ---- minimum, maximum, comparison --------------------------------------------------------- */

static bool meets_nan(struct hatch_isa_fp *x)
{
	if (is_signaling(x->format, x->a) || is_signaling(x->format, x->b))
		x->flags |= FLAG_INVALID;
	return is_nan(x->format, x->a) || is_nan(x->format, x->b);
}

static uint64_t fminm(struct hatch_isa_fp *x)
{
	if (meets_nan(x))
		return canonical_nan(x->format);
	return order(x->format, x->a) < order(x->format, x->b) ? x->a : x->b;
}

static uint64_t fmaxm(struct hatch_isa_fp *x)
{
	if (meets_nan(x))
		return canonical_nan(x->format);
	return order(x->format, x->a) > order(x->format, x->b) ? x->a : x->b;
}

static bool are_zero(const struct hatch_isa_fp *x)
{
	return !magnitude(x->format, x->a | x->b);
}

static uint64_t fleq(struct hatch_isa_fp *x)
{
	return !meets_nan(x) && (are_zero(x) || order(x->format, x->a) <= order(x->format, x->b));
}

static uint64_t fltq(struct hatch_isa_fp *x)
{
	return !meets_nan(x) && !are_zero(x) && order(x->format, x->a) < order(x->format, x->b);
}

/* ---- to an integer ------------------------------------------------------------------------ */

/*
 * Whether a number between two integers goes to the greater one in magnitude. `rest` of `unit`
 * lies above the smaller, which is odd or not.
 */
static bool rounds_away(const struct hatch_isa_fp *x, uint64_t rest, uint64_t unit, bool odd)
{
	switch (x->rounding) {
	case ROUND_NEAREST_EVEN:
		return rest > unit / 2 || (rest == unit / 2 && odd);
	case ROUND_NEAREST_AWAY:
		return rest >= unit / 2;
	case ROUND_DOWN:
		return is_negative(x->format, x->a);
	case ROUND_UP:
		return !is_negative(x->format, x->a);
	default:
		return false;
	}
}

/* Of numbers below one only the order against a half matters: 1, 2 or 3 quarters. */
static uint64_t round_fraction(const struct hatch_isa_fp *x)
{
	const struct hatch_isa_format *f = x->format;
	const uint64_t one = (uint64_t)bias(f) << f->fraction, half = one - quiet_bit(f) * 2;
	uint64_t m = magnitude(f, x->a);
	uint64_t quarters = m < half ? 1 : m == half ? 2 : 3;

	return (x->a & sign_bit(f)) | (rounds_away(x, quarters, 4, false) ? one : 0);
}

/* The carry out of the fraction makes the next power of two, as it should. */
static uint64_t round_mixed(const struct hatch_isa_fp *x, int power)
{
	const uint64_t unit = (uint64_t)1 << (x->format->fraction - (unsigned int)power);
	uint64_t rest = x->a & (unit - 1), whole = x->a - rest;

	if (!rest)
		return x->a;
	return whole + (rounds_away(x, rest, unit, whole & unit) ? unit : 0);
}

static uint64_t fround(struct hatch_isa_fp *x)
{
	const struct hatch_isa_format *f = x->format;
	int power = exponent(f, x->a);

	x->b = x->a;
	if (meets_nan(x))
		return canonical_nan(f);
	if (power >= (int)f->fraction || !magnitude(f, x->a))
		return x->a;
	return power < 0 ? round_fraction(x) : round_mixed(x, power);
}

static uint64_t froundnx(struct hatch_isa_fp *x)
{
	uint64_t result = fround(x);

	if (result != x->a && !is_nan(x->format, x->a))
		x->flags |= FLAG_INEXACT;
	return result;
}

/* The integer part of the magnitude, modulo 2^64. */
static uint64_t truncate(uint64_t a, int power, bool *exact)
{
	uint64_t mantissa = (a & low_bits(52)) | (uint64_t)1 << 52;

	*exact = power >= 52 || !(mantissa & low_bits(52 - (unsigned int)power));
	if (power >= 52)
		return power - 52 < 64 ? mantissa << (power - 52) : 0;
	return mantissa >> (52 - power);
}

/* JavaScript's conversion: modulo 2^32, always towards zero; the flags are those of fcvt.w.d. */
static uint64_t fcvtmod(struct hatch_isa_fp *x)
{
	int power = exponent(&twice, x->a);
	bool exact = !magnitude(&twice, x->a);
	uint64_t whole = 0;
	int64_t value;

	if (magnitude(&twice, x->a) >= infinity(&twice)) {
		x->flags |= FLAG_INVALID;
		return 0;
	}
	if (power >= 0)
		whole = truncate(x->a, power, &exact);
	value = (int64_t)(is_negative(&twice, x->a) ? -whole : whole);
	if (power > 31 || value != (int32_t)value)
		x->flags |= FLAG_INVALID;
	else if (!exact)
		x->flags |= FLAG_INEXACT;
	return hatch_isa_word((uint64_t)value);
}

/* ---- constants ---------------------------------------------------------------------------- */

/* Most of fli's values, by power of two and quarters above it. */
static const struct {
	int8_t power;
	uint8_t quarters;
} constants[32] = {
	[2] = { -16, 0 }, [3] = { -15, 0 }, [4] = { -8, 0 },  [5] = { -7, 0 },	[6] = { -4, 0 },
	[7] = { -3, 0 },  [8] = { -2, 0 },  [9] = { -2, 1 },  [10] = { -2, 2 }, [11] = { -2, 3 },
	[12] = { -1, 0 }, [13] = { -1, 1 }, [14] = { -1, 2 }, [15] = { -1, 3 }, [16] = { 0, 0 },
	[17] = { 0, 1 },  [18] = { 0, 2 },  [19] = { 0, 3 },  [20] = { 1, 0 },	[21] = { 1, 1 },
	[22] = { 1, 2 },  [23] = { 2, 0 },  [24] = { 3, 0 },  [25] = { 4, 0 },	[26] = { 7, 0 },
	[27] = { 8, 0 },  [28] = { 15, 0 }, [29] = { 16, 0 },
};

/* The constant's number stands in the place of rs1. */
static uint64_t fli(struct hatch_isa_fp *x)
{
	const struct hatch_isa_format *f = x->format;
	const uint64_t one = (uint64_t)bias(f) << f->fraction;

	switch (x->a) {
	case 0:
		return sign_bit(f) | one;
	case 1: /* the least normal number */
		return (uint64_t)1 << f->fraction;
	case 30:
		return infinity(f);
	case 31:
		return canonical_nan(f);
	default:
		return one + ((uint64_t)(int64_t)constants[x->a].power << f->fraction) +
		       ((uint64_t)constants[x->a].quarters << (f->fraction - 2));
	}
}

/* ---- operands and results ----------------------------------------------------------------- */

/* Bit 25 tells double from single precision, in all instructions here. */
static const struct hatch_isa_format *format_of(uint32_t insn)
{
	return insn >> 25 & 1 ? &twice : &single;
}

static enum hatch_verdict reject(uint32_t insn, struct hatch_cont *k)
{
	return hatch_inject(k, CAUSE_ILLEGAL_INSTRUCTION, insn);
}

/* False when the guest may not: floating point is off. */
static bool fetch(struct hatch_isa_fp *x, uint32_t insn, struct hatch_cont *k, uint64_t *fcsr)
{
	uint64_t a, b;

	if (hatch_cont_get_fcsr(k, fcsr) || hatch_cont_get_f(k, hatch_isa_rs1(insn), &a) ||
	    hatch_cont_get_f(k, hatch_isa_rs2(insn), &b))
		return false;
	*x = (struct hatch_isa_fp){ .format = format_of(insn) };
	x->a = unbox(x->format, a);
	x->b = unbox(x->format, b);
	return true;
}

static void raise_flags(const struct hatch_isa_fp *x, uint64_t fcsr, struct hatch_cont *k)
{
	if (x->flags & ~fcsr)
		hatch_cont_set_fcsr(k, fcsr | x->flags);
}

/* f[rd] = fp(f[rs1], f[rs2]) */
static enum hatch_verdict to_f(const struct hatch_isa_op *op, uint32_t insn, struct hatch_cont *k)
{
	struct hatch_isa_fp x;
	uint64_t fcsr, result;

	if (!fetch(&x, insn, k, &fcsr))
		return reject(insn, k);
	result = op->fp(&x);
	raise_flags(&x, fcsr, k);
	hatch_cont_set_f(k, hatch_isa_rd(insn), box(x.format, result));
	return hatch_skip(k);
}

/* The same with a rounding mode in the place of funct3; those that are none are illegal. */
static enum hatch_verdict rounded(const struct hatch_isa_op *op, uint32_t insn,
				  struct hatch_cont *k)
{
	struct hatch_isa_fp x;
	uint64_t fcsr, result;
	unsigned int rounding = insn >> 12 & 7;

	if (!fetch(&x, insn, k, &fcsr))
		return reject(insn, k);
	x.rounding = rounding == ROUND_DYNAMIC ? fcsr >> 5 & 7 : rounding;
	if (x.rounding > ROUND_NEAREST_AWAY)
		return reject(insn, k);
	result = op->fp(&x);
	raise_flags(&x, fcsr, k);
	hatch_cont_set_f(k, hatch_isa_rd(insn), box(x.format, result));
	return hatch_skip(k);
}

/* x[rd] = fp(f[rs1], f[rs2]) */
static enum hatch_verdict to_x(const struct hatch_isa_op *op, uint32_t insn, struct hatch_cont *k)
{
	struct hatch_isa_fp x;
	uint64_t fcsr, result;

	if (!fetch(&x, insn, k, &fcsr))
		return reject(insn, k);
	result = op->fp(&x);
	raise_flags(&x, fcsr, k);
	return hatch_resume(k, result);
}

static enum hatch_verdict constant(const struct hatch_isa_op *op, uint32_t insn,
				   struct hatch_cont *k)
{
	struct hatch_isa_fp x = { .format = format_of(insn), .a = hatch_isa_rs1(insn) };

	if (hatch_cont_set_f(k, hatch_isa_rd(insn), box(x.format, op->fp(&x))))
		return reject(insn, k);
	return hatch_skip(k);
}

/* ---- table -------------------------------------------------------------------------------- */

#define R_MASK	   0xfe00707f /* funct7, funct3 and opcode are fixed */
#define ROUND_MASK 0xfff0007f /* rs2 too, but not the rounding mode */
#define UNARY_MASK 0xfff0707f /* all but rd and rs1 */

static const struct hatch_isa_op ops[] = {
	{ "fli.s", UNARY_MASK, 0xf0100053, constant, NULL, fli },
	{ "fli.d", UNARY_MASK, 0xf2100053, constant, NULL, fli },
	{ "fminm.s", R_MASK, 0x28002053, to_f, NULL, fminm },
	{ "fminm.d", R_MASK, 0x2a002053, to_f, NULL, fminm },
	{ "fmaxm.s", R_MASK, 0x28003053, to_f, NULL, fmaxm },
	{ "fmaxm.d", R_MASK, 0x2a003053, to_f, NULL, fmaxm },
	{ "fround.s", ROUND_MASK, 0x40400053, rounded, NULL, fround },
	{ "fround.d", ROUND_MASK, 0x42400053, rounded, NULL, fround },
	{ "froundnx.s", ROUND_MASK, 0x40500053, rounded, NULL, froundnx },
	{ "froundnx.d", ROUND_MASK, 0x42500053, rounded, NULL, froundnx },
	{ "fcvtmod.w.d", UNARY_MASK, 0xc2801053, to_x, NULL, fcvtmod },
	{ "fleq.s", R_MASK, 0xa0004053, to_x, NULL, fleq },
	{ "fleq.d", R_MASK, 0xa2004053, to_x, NULL, fleq },
	{ "fltq.s", R_MASK, 0xa0005053, to_x, NULL, fltq },
	{ "fltq.d", R_MASK, 0xa2005053, to_x, NULL, fltq },
};

const struct hatch_isa_table hatch_isa_zfa = HATCH_ISA_TABLE("zfa", ops);
