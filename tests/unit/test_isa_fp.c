/* SPDX-License-Identifier: MIT */
/* Emulated floating-point instructions against the unit of the machine that runs the test. */
#include <math.h>

#include "isa_guest.h"

/* ---- models -------------------------------------------------------------------------------- */

#define BOX(bits)  (UINT64_C(0xffffffff00000000) | (bits))
#define NAN_SINGLE 0x7fc00000U
#define NAN_DOUBLE UINT64_C(0x7ff8000000000000)
#define INVALID	   16
#define INEXACT	   1

struct number {
	bool wide;
	uint64_t bits;
	double value; /* every single is a double as well */
	bool nan, signaling;
};

static struct number number_of(bool wide, uint64_t bits)
{
	struct number n = { .wide = wide, .bits = bits };
	uint32_t low = (uint32_t)bits;
	float narrow;

	memcpy(&n.value, &bits, sizeof(bits));
	memcpy(&narrow, &low, sizeof(low));
	if (!wide && bits >> 32 != UINT32_MAX) {
		n.bits = BOX(NAN_SINGLE);
		n.nan = true;
		return n;
	}
	n.nan = wide ? isnan(n.value) : isnan(narrow);
	n.signaling = n.nan && !(wide ? bits >> 51 & 1 : bits >> 22 & 1);
	if (!wide && !n.nan)
		n.value = narrow;
	return n;
}

static uint64_t bits_of(bool wide, double value)
{
	float narrow = (float)value;
	uint32_t low;
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	memcpy(&low, &narrow, sizeof(low));
	if (isnan(value))
		return wide ? NAN_DOUBLE : BOX(NAN_SINGLE);
	return wide ? bits : BOX(low);
}

static bool is_less(const struct number *a, const struct number *b)
{
	return a->value < b->value ||
	       (a->value == b->value && signbit(a->value) && !signbit(b->value));
}

static uint64_t model_extreme(const struct number *a, const struct number *b, bool greatest)
{
	if (a->nan || b->nan)
		return bits_of(a->wide, NAN);
	return is_less(a, b) == greatest ? b->bits : a->bits;
}

/* To the even one of two neighbours when both are equally near. */
static double model_even(double value)
{
	double below = floor(value), above = ceil(value);

	if (value - below != above - value)
		return value - below < above - value ? below : above;
	return fmod(below, 2) == 0 ? below : above;
}

/* In the order of the rounding modes' numbers. All keep the sign of what becomes zero. */
static double model_round(double value, unsigned int mode)
{
	static double (*const models[])(double) = { model_even, trunc, floor, ceil, round };

	return copysign(models[mode](value), value);
}

static uint64_t model_modular(double value, unsigned int *flags)
{
	double whole = trunc(value), rest;

	*flags = 0;
	if (!isfinite(value) || whole < INT32_MIN || whole > INT32_MAX)
		*flags = INVALID;
	else if (whole != value)
		*flags = INEXACT;
	if (!isfinite(value))
		return 0;
	rest = fmod(whole, 4294967296.0);
	return (uint64_t)(int64_t)(int32_t)(uint32_t)(int64_t)rest;
}

/* ---- comparison --------------------------------------------------------------------------- */

static void expect_fp(const char *name, bool wide, uint64_t result, uint64_t expected,
		      unsigned int flags, const uint64_t operand[2])
{
	if (result != expected || world.vcpu.fcsr % 32 != flags)
		fail_msg("%s.%c of 0x%llx and 0x%llx gave 0x%llx, flags %llu; not 0x%llx, %u", name,
			 wide ? 'd' : 's', (unsigned long long)operand[0],
			 (unsigned long long)operand[1], (unsigned long long)result,
			 (unsigned long long)world.vcpu.fcsr % 32, (unsigned long long)expected,
			 flags);
}

/* All instructions with these operands in fa0 and fa1. The result is in fa2 or a2. */
static void compare_pair(bool wide, const uint64_t operand[2], const struct hatch_catch *clauses[4])
{
	static const uint32_t insn[4] = { 0x28b52653, 0x28b53653, 0xa0b54653, 0xa0b55653 };
	static const char *const names[4] = { "fminm", "fmaxm", "fleq", "fltq" };
	const struct number a = number_of(wide, operand[0]), b = number_of(wide, operand[1]);
	const bool ordered = !a.nan && !b.nan;
	const uint64_t expected[4] = { model_extreme(&a, &b, false), model_extreme(&a, &b, true),
				       ordered && a.value <= b.value,
				       ordered && a.value < b.value };

	world.vcpu.fp[10] = operand[0];
	world.vcpu.fp[11] = operand[1];
	for (unsigned int i = 0; i < 4; i++) {
		world.vcpu.fcsr = 0;
		execute(clauses[i], insn[i] | (uint32_t)wide << 25);
		expect_fp(names[i], wide, i < 2 ? world.vcpu.fp[12] : world.vcpu.frame.x[12],
			  expected[i], a.signaling || b.signaling ? INVALID : 0, operand);
	}
}

static void compare_round(bool wide, uint64_t operand, unsigned int mode)
{
	const struct number a = number_of(wide, operand);
	const uint64_t shown[2] = { operand, mode };
	const double rounded = a.nan ? NAN : model_round(a.value, mode);
	const unsigned int invalid = a.signaling ? INVALID : 0;

	world.vcpu.fp[10] = operand;
	for (unsigned int exact = 0; exact < 2; exact++) {
		/* Every other one by fcsr. */
		bool dynamic = operand & 1;
		uint32_t insn = (exact ? 0x40550653U : 0x40450653U) | (uint32_t)wide << 25 |
				(dynamic ? 7 : mode) << 12;

		world.vcpu.fcsr = dynamic ? mode << 5 : 0;
		execute(clause_of(insn), insn);
		expect_fp(exact ? "froundnx" : "fround", wide, world.vcpu.fp[12],
			  bits_of(wide, rounded),
			  invalid | (exact && !a.nan && rounded != a.value ? INEXACT : 0), shown);
	}
}

static void compare_modular(uint64_t operand)
{
	const struct number a = number_of(true, operand);
	const uint64_t shown[2] = { operand, 0 };
	unsigned int flags;
	uint64_t expected = model_modular(a.value, &flags);

	world.vcpu.fp[10] = operand;
	world.vcpu.fcsr = 0;
	execute(clause_of(0xc2851653), 0xc2851653);
	expect_fp("fcvtmod.w", true, world.vcpu.frame.x[12], expected, flags, shown);
}

/* Anything; numbers with and near a fraction; and those that are not boxed. */
static uint64_t random_fp(bool wide)
{
	const unsigned int fraction = wide ? 52 : 23;
	uint64_t bias = wide ? 1023 : 127, bits = random_bits();

	if (random_below(2))
		bits = (bits >> 63) << (wide ? 63 : 31) |
		       (bias - 3 + random_below(fraction + 16)) << fraction |
		       (bits & (UINT64_MAX << random_below(fraction)) &
			((UINT64_C(1) << fraction) - 1));
	if (wide || random_below(64) == 0)
		return bits;
	return BOX((uint32_t)bits);
}

static void test_pairs(void **state)
{
	(void)state;
	for (unsigned int wide = 0; wide < 2; wide++) {
		const struct hatch_catch *clauses[4] = {
			clause_of(0x28b52653 | wide << 25),
			clause_of(0x28b53653 | wide << 25),
			clause_of(0xa0b54653 | wide << 25),
			clause_of(0xa0b55653 | wide << 25),
		};

		for (unsigned int n = 0; n < RANDOM; n++) {
			uint64_t operand[2] = { random_fp(wide), random_fp(wide) };

			if (random_below(8) == 0)
				operand[1] = operand[0] ^ random_below(2) << (wide ? 63 : 31);
			compare_pair(wide, operand, clauses);
		}
	}
}

/* The upper half of every single, with lower halves around what matters; then at random. */
static void test_rounding(void **state)
{
	static const uint32_t lower[] = { 0, 1, 0x7fff, 0x8000, 0x8001, 0xffff };

	(void)state;
	for (uint32_t upper = 0; upper < 1 << 16; upper++)
		for (size_t i = 0; i < COUNT_OF(lower); i++)
			compare_round(false, BOX(upper << 16 | lower[i]), (upper + i) % 5);
	for (unsigned int n = 0; n < RANDOM; n++) {
		compare_round(true, random_fp(true), n % 5);
		compare_round(false, random_fp(false), n % 5);
		compare_modular(random_fp(true));
	}
}

static void test_constants(void **state)
{
	static const double values[32] = {
		-1,   0,      0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0.0625,	  0.125,
		0.25, 0.3125, 0.375,   0.4375,	0.5,	0.625,	0.75,	  0.875,
		1,    1.25,   1.5,     1.75,	2,	2.5,	3,	  4,
		8,    16,     128,     256,	32768,	65536,	INFINITY, NAN,
	};

	(void)state;
	for (unsigned int i = 0; i < 32; i++)
		for (unsigned int wide = 0; wide < 2; wide++) {
			uint32_t insn = 0xf0100653 | wide << 25 | i << 15;
			double value = i != 1 ? values[i] : wide ? 0x1p-1022 : 0x1p-126;

			assert_int_equal(execute(clause_of(insn), insn), HATCH_SKIP);
			assert_int_equal(world.vcpu.fp[12], bits_of(wide, value));
		}
}

/* Without floating point each is the guest's own illegal instruction, and nothing changes. */
static void test_floating_point_off(void **state)
{
	(void)state;
	fp_off = true;
	for (const struct form *form = forms; form->name; form++) {
		struct hatch_vcpu before = world.vcpu;

		if (strcmp(form->extension, "zfa"))
			continue;
		assert_int_equal(execute(clause_of(form->insn), form->insn), HATCH_INJECT);
		assert_int_equal(world.cont.value, CAUSE_ILLEGAL_INSTRUCTION);
		assert_int_equal(world.cont.second, form->insn);
		assert_memory_equal(&before, &world.vcpu, sizeof(before));
	}
}

static void test_reserved_rounding(void **state)
{
	(void)state;
	for (unsigned int mode = 5; mode < 8; mode++) {
		uint32_t fixed = 0x42450653 | mode << 12, dynamic = 0x42457653;

		world.vcpu.fcsr = mode << 5;
		assert_int_equal(execute(clause_of(fixed), fixed), HATCH_INJECT);
		assert_int_equal(execute(clause_of(dynamic), dynamic), HATCH_INJECT);
	}
}

/* Flags stay once they are raised; a result without new ones leaves fcsr alone. */
static void test_flags_accrue(void **state)
{
	(void)state;
	world.vcpu.fcsr = 2 << 5 | 8;
	world.vcpu.fp[10] = UINT64_C(0x3ff8000000000000);
	execute(clause_of(0xc2851653), 0xc2851653);
	assert_int_equal(world.vcpu.fcsr, 2 << 5 | 8 | INEXACT);
	fp_dirty = false;
	execute(clause_of(0xc2851653), 0xc2851653);
	assert_false(fp_dirty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pairs, setup),
		cmocka_unit_test_setup(test_rounding, setup),
		cmocka_unit_test_setup(test_constants, setup),
		cmocka_unit_test_setup(test_floating_point_off, setup),
		cmocka_unit_test_setup(test_reserved_rounding, setup),
		cmocka_unit_test_setup(test_flags_accrue, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
