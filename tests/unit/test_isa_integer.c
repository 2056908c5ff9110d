/* SPDX-License-Identifier: MIT */
/* Emulated integer instructions against models written another way: loops over bits. */
#include "isa_guest.h"

/* ---- models -------------------------------------------------------------------------------- */

enum bits { WORD = 32, DOUBLE = 64 };

static bool bit(uint64_t a, unsigned int n)
{
	return a / ((uint64_t)1 << n) % 2;
}

static uint64_t with_bit(uint64_t a, unsigned int n, bool value)
{
	uint64_t cleared = bit(a, n) ? a - ((uint64_t)1 << n) : a;

	return value ? cleared + ((uint64_t)1 << n) : cleared;
}

static uint64_t sign_extended(uint64_t a, unsigned int width)
{
	for (unsigned int i = width; i < 64; i++)
		a = with_bit(a, i, bit(a, width - 1));
	return a;
}

static uint64_t zero_extended(uint64_t a, unsigned int width)
{
	for (unsigned int i = width; i < 64; i++)
		a = with_bit(a, i, false);
	return a;
}

/* One step to the left at a time. */
static uint64_t rotated(uint64_t a, uint64_t by, unsigned int width)
{
	uint64_t result = zero_extended(a, width);

	for (by %= width; by; by--)
		result = zero_extended(result * 2, width) + bit(result, width - 1);
	return sign_extended(result, width);
}

static uint64_t zeros_from(uint64_t a, int first, int step, unsigned int width)
{
	uint64_t n = 0;

	for (int i = first; n < width && !bit(a, (unsigned int)i); i += step)
		n++;
	return n;
}

static uint64_t ones(uint64_t a, unsigned int width)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < width; i++)
		n += bit(a, i);
	return n;
}

static uint64_t by_byte(uint64_t a, bool reverse)
{
	uint8_t from[8], to[8];
	uint64_t result;

	memcpy(from, &a, 8);
	for (unsigned int i = 0; i < 8; i++)
		to[i] = reverse ? from[7 - i] : from[i] ? 0xff : 0;
	memcpy(&result, to, 8);
	return result;
}

static uint64_t shifted_sum(uint64_t a, uint64_t b, unsigned int by)
{
	while (by--)
		a += a;
	return a + b;
}

#define MODEL(name, expression)                                                                    \
	static uint64_t model_##name(uint64_t a, uint64_t b)                                       \
	{                                                                                          \
		(void)b;                                                                           \
		return expression;                                                                 \
	}

MODEL(sh1add, shifted_sum(a, b, 1))
MODEL(sh2add, shifted_sum(a, b, 2))
MODEL(sh3add, shifted_sum(a, b, 3))
MODEL(add_uw, shifted_sum(zero_extended(a, 32), b, 0))
MODEL(sh1add_uw, shifted_sum(zero_extended(a, 32), b, 1))
MODEL(sh2add_uw, shifted_sum(zero_extended(a, 32), b, 2))
MODEL(sh3add_uw, shifted_sum(zero_extended(a, 32), b, 3))
MODEL(slli_uw, shifted_sum(zero_extended(a, 32), 0, (unsigned int)b))
MODEL(andn, (a | b) ^ b)
MODEL(orn, UINT64_MAX - (b & (UINT64_MAX - a)))
MODEL(xnor, (a & b) | (UINT64_MAX - (a | b)))
MODEL(clz, zeros_from(a, 63, -1, 64))
MODEL(clzw, zeros_from(a, 31, -1, 32))
MODEL(ctz, zeros_from(a, 0, 1, 64))
MODEL(ctzw, zeros_from(a, 0, 1, 32))
MODEL(cpop, ones(a, 64))
MODEL(cpopw, ones(a, 32))
MODEL(minu, a < b ? a : b)
MODEL(maxu, a < b ? b : a)
/* Signed order is unsigned order with the sign turned. */
MODEL(min, (a ^ INT64_MIN) < (b ^ INT64_MIN) ? a : b)
MODEL(max, (a ^ INT64_MIN) < (b ^ INT64_MIN) ? b : a)
MODEL(sext_b, sign_extended(a, 8))
MODEL(sext_h, sign_extended(a, 16))
MODEL(zext_b, zero_extended(a, 8))
MODEL(zext_h, zero_extended(a, 16))
MODEL(zext_w, zero_extended(a, 32))
MODEL(rol, rotated(a, b % 64, 64))
MODEL(ror, rotated(a, 64 - b % 64, 64))
MODEL(rolw, rotated(a, b % 32, 32))
MODEL(rorw, rotated(a, 32 - b % 32, 32))
MODEL(orc_b, by_byte(a, false))
MODEL(rev8, by_byte(a, true))
MODEL(bclr, with_bit(a, b % 64, false))
MODEL(bset, with_bit(a, b % 64, true))
MODEL(binv, with_bit(a, b % 64, !bit(a, b % 64)))
MODEL(bext, bit(a, b % 64))
MODEL(czero_eqz, a *(b != 0))
MODEL(czero_nez, a *(b == 0))
MODEL(not, UINT64_MAX - a)
MODEL(mul, (uint64_t)((unsigned __int128)a *b))

static const struct {
	const char *name;
	uint64_t (*model)(uint64_t a, uint64_t b);
} integers[] = {
	{ "sh1add", model_sh1add },
	{ "sh2add", model_sh2add },
	{ "sh3add", model_sh3add },
	{ "add.uw", model_add_uw },
	{ "sh1add.uw", model_sh1add_uw },
	{ "sh2add.uw", model_sh2add_uw },
	{ "sh3add.uw", model_sh3add_uw },
	{ "slli.uw", model_slli_uw },
	{ "andn", model_andn },
	{ "orn", model_orn },
	{ "xnor", model_xnor },
	{ "clz", model_clz },
	{ "clzw", model_clzw },
	{ "ctz", model_ctz },
	{ "ctzw", model_ctzw },
	{ "cpop", model_cpop },
	{ "cpopw", model_cpopw },
	{ "min", model_min },
	{ "minu", model_minu },
	{ "max", model_max },
	{ "maxu", model_maxu },
	{ "sext.b", model_sext_b },
	{ "sext.h", model_sext_h },
	{ "zext.h", model_zext_h },
	{ "rol", model_rol },
	{ "ror", model_ror },
	{ "rori", model_ror },
	{ "rolw", model_rolw },
	{ "rorw", model_rorw },
	{ "roriw", model_rorw },
	{ "orc.b", model_orc_b },
	{ "rev8", model_rev8 },
	{ "bclr", model_bclr },
	{ "bclri", model_bclr },
	{ "bext", model_bext },
	{ "bexti", model_bext },
	{ "binv", model_binv },
	{ "binvi", model_binv },
	{ "bset", model_bset },
	{ "bseti", model_bset },
	{ "czero.eqz", model_czero_eqz },
	{ "czero.nez", model_czero_nez },
	{ "c.zext.b", model_zext_b },
	{ "c.sext.b", model_sext_b },
	{ "c.zext.h", model_zext_h },
	{ "c.sext.h", model_sext_h },
	{ "c.zext.w", model_zext_w },
	{ "c.not", model_not },
	{ "c.mul", model_mul },
};

/* a0 and a1 are the operands; the result is in a2, of a compressed instruction in a0. */
static void compare_integer(size_t i, const struct form *form, const struct hatch_catch *clause,
			    uint64_t a, uint64_t b)
{
	unsigned int rd = form->insn < 0x10000 ? 10 : 12;
	uint32_t insn = form->insn;

	world.vcpu.frame.x[10] = a;
	world.vcpu.frame.x[11] = b;
	if (form->variants > 1) {
		b %= form->variants;
		insn |= (uint32_t)b << form->shift;
	}
	execute(clause, insn);
	if (world.vcpu.frame.x[rd] != integers[i].model(a, b))
		fail_msg("%s of 0x%llx and 0x%llx gave 0x%llx", form->name, (unsigned long long)a,
			 (unsigned long long)b, (unsigned long long)world.vcpu.frame.x[rd]);
}

static void test_integers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(integers); i++) {
		const struct form *form = form_of(integers[i].name);
		const struct hatch_catch *clause = clause_of(form->insn);

		assert_non_null(clause);
		assert_string_equal(clause->name, form->name);
		for (uint64_t small = 0; small < 1 << 16; small++)
			compare_integer(i, form, clause,
					sign_extended(small >> 8, small & 1 ? 8 : 64),
					sign_extended(small & 0xff, small & 1 ? 8 : 64));
		for (unsigned int n = 0; n < RANDOM; n++)
			compare_integer(i, form, clause, random_number() ^ -random_below(2),
					random_number() ^ -random_below(2));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_integers, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
