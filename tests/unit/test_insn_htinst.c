/* SPDX-License-Identifier: MIT */
/*
 * The transformed instructions that hardware leaves in htinst. For each load, store and atomic of
 * the table, insn_table.py let the assembler make the transformed form by the specification's
 * rule; the command line names the table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "insn_table.h"

enum {
	CENSUS_BITS = 25, /* a transformed load or store leaves the bits above clear */
};

static struct insn_table table;

/* Decoding must fill every field, whatever was there before. */
static bool decode_htinst(uint64_t htinst, struct hatch_insn *out)
{
	memset(out, 0xa5, sizeof(*out));
	return hatch_insn_decode_htinst(htinst, out);
}

static void assert_refused(uint64_t htinst)
{
	static const struct hatch_insn nothing;
	struct hatch_insn got;

	if (decode_htinst(htinst, &got))
		fail_msg("%#llx: taken for a transformed instruction", (unsigned long long)htinst);
	assert_same_insn(&got, &nothing, htinst);
	if (hatch_htinst_is_load(htinst) || hatch_htinst_is_store(htinst))
		fail_msg("%#llx: taken for a load or store", (unsigned long long)htinst);
}

static bool has_transformed_form(const struct hatch_insn *insn)
{
	switch (insn->cls) {
	case HATCH_INSN_UNKNOWN:
	case HATCH_INSN_CSR:
	case HATCH_INSN_OTHER:
		return false;
	default:
		return true;
	}
}

static void test_htinst_agrees_with_the_assembler(void **state)
{
	size_t seen[HATCH_INSN_OTHER + 1] = { 0 };
	struct hatch_insn got;

	(void)state;
	for (size_t i = 0; i < table.count; i++) {
		struct hatch_insn want = table.rows[i].insn;
		uint64_t htinst = table.rows[i].htinst;

		assert_int_equal(htinst != 0, has_transformed_form(&want));
		if (!htinst)
			continue;
		want.raw = htinst | 2;
		want.imm = 0;
		want.rs1 = 0;
		want.offset = table.rows[i].offset;
		assert_true(decode_htinst(htinst, &got));
		assert_same_insn(&got, &want, htinst);
		seen[want.cls]++;
	}
	for (size_t cls = HATCH_INSN_LOAD; cls <= HATCH_INSN_SC; cls++)
		assert_in_range(seen[cls], 256, table.count);
}

/* What hatch_insn_transform() makes is what the assembler made, at an offset of 0. */
static void test_transform(void **state)
{
	(void)state;
	for (size_t i = 0; i < table.count; i++) {
		const struct hatch_insn *insn = &table.rows[i].insn;
		bool plain = insn->cls == HATCH_INSN_LOAD || insn->cls == HATCH_INSN_STORE;
		uint64_t at_offset_0 = table.rows[i].htinst & ~UINT64_C(0xf8000);

		assert_int_equal(hatch_insn_transform(insn), plain ? at_offset_0 : 0);
	}
}

static void test_htinst_short_path_agrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < table.count; i++) {
		const struct hatch_insn *want = &table.rows[i].insn;
		uint64_t htinst = table.rows[i].htinst;

		assert_int_equal(hatch_htinst_is_load(htinst), want->cls == HATCH_INSN_LOAD);
		assert_int_equal(hatch_htinst_is_store(htinst), want->cls == HATCH_INSN_STORE);
		if (want->cls != HATCH_INSN_LOAD && want->cls != HATCH_INSN_STORE)
			continue;
		assert_int_equal(hatch_htinst_length(htinst), want->length);
		assert_int_equal(hatch_htinst_width(htinst), want->width);
		assert_int_equal(hatch_htinst_offset(htinst), table.rows[i].offset);
		if (want->cls == HATCH_INSN_LOAD) {
			assert_int_equal(hatch_htinst_rd(htinst), want->rd);
			assert_int_equal(hatch_htinst_is_signed(htinst), want->is_signed);
		} else {
			assert_int_equal(hatch_htinst_rs2(htinst), want->rs2);
		}
	}
}

/*
 * Nothing else is accepted: of all values below 2^25, where every transformed load and store
 * stands, just as many as there are combinations of an instruction, its data register, an address
 * offset and a length.
 */
static void test_htinst_census(void **state)
{
	enum { REGISTERS = 32, OFFSETS = 32, LENGTHS = 2, EACH = REGISTERS * OFFSETS * LENGTHS };
	size_t seen[HATCH_INSN_OTHER + 1] = { 0 };
	struct hatch_insn got;

	(void)state;
	for (uint64_t htinst = 0; htinst < UINT64_C(1) << CENSUS_BITS; htinst++) {
		hatch_insn_decode_htinst(htinst, &got);
		seen[got.cls]++;
		if (hatch_htinst_is_load(htinst) != (got.cls == HATCH_INSN_LOAD) ||
		    hatch_htinst_is_store(htinst) != (got.cls == HATCH_INSN_STORE))
			fail_msg("%#llx: the short path disagrees", (unsigned long long)htinst);
	}
	assert_int_equal(seen[HATCH_INSN_LOAD], 7 * EACH);
	assert_int_equal(seen[HATCH_INSN_STORE], 4 * EACH);
	assert_int_equal(seen[HATCH_INSN_FLOAD], 3 * EACH);
	assert_int_equal(seen[HATCH_INSN_FSTORE], 3 * EACH);
	assert_int_equal(seen[HATCH_INSN_CSR] + seen[HATCH_INSN_OTHER], 0);
}

static void test_htinst_refuses_bits_that_are_zero_by_specification(void **state)
{
	(void)state;
	for (size_t i = 0; i < table.count; i++) {
		const struct hatch_insn *insn = &table.rows[i].insn;
		unsigned int first = 32;

		if (!table.rows[i].htinst)
			continue;
		assert_refused(table.rows[i].htinst & ~UINT64_C(1));
		if (insn->cls <= HATCH_INSN_FSTORE)
			first = CENSUS_BITS;
		for (unsigned int bit = first; bit < 64; bit++)
			assert_refused(table.rows[i].htinst | UINT64_C(1) << bit);
	}
}

static void test_htinst_pseudoinstructions(void **state)
{
	static const uint64_t pseudo[] = { 0x2000, 0x2020, 0x3000, 0x3020 };
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(hatch_htinst_is_pseudo(pseudo[i]));
		assert_int_equal(hatch_htinst_pseudo_is_write(pseudo[i]), i & 1);
		assert_refused(pseudo[i]);
		for (unsigned int bit = 16; bit < 64; bit++)
			assert_false(hatch_htinst_is_pseudo(pseudo[i] | UINT64_C(1) << bit));
	}
	for (uint64_t htinst = 0; htinst < 0x10000; htinst++)
		found += hatch_htinst_is_pseudo(htinst);
	assert_int_equal(found, 4);
}

/* 0 says that the hardware tells nothing; all ones is no instruction of a length we know. */
static void test_htinst_refuses_zero_and_ones(void **state)
{
	(void)state;
	assert_refused(0);
	assert_refused(UINT32_MAX);
	assert_refused(UINT64_MAX);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_htinst_agrees_with_the_assembler),
		cmocka_unit_test(test_transform),
		cmocka_unit_test(test_htinst_short_path_agrees),
		cmocka_unit_test(test_htinst_census),
		cmocka_unit_test(test_htinst_refuses_bits_that_are_zero_by_specification),
		cmocka_unit_test(test_htinst_pseudoinstructions),
		cmocka_unit_test(test_htinst_refuses_zero_and_ones),
	};

	if (argc != 2) {
		fprintf(stderr,
			"usage: test_insn_htinst TABLE (the file that insn_table.py writes)\n");
		return 1;
	}
	table = insn_table_read(argv[1]);
	return cmocka_run_group_tests_name("insn_htinst", tests, NULL, NULL);
}
