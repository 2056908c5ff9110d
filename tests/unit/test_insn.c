/* SPDX-License-Identifier: MIT */
/*
 * hatch_insn_decode() against binutils. insn_table.py wrote the table that the command line
 * names, one instruction to a row, from the disassembler's text: nothing of the decoder went
 * into it.
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
	PARCELS = 3 * 0x4000, /* 16-bit words that do not begin a longer instruction */
};

static struct insn_table table;

/* Decoding must fill every field, whatever was there before. */
static bool decode(uint32_t raw, struct hatch_insn *out)
{
	memset(out, 0xa5, sizeof(*out));
	return hatch_insn_decode(raw, out);
}

static void test_table_covers_the_encodings(void **state)
{
	size_t parcels = 0, seen[HATCH_INSN_OTHER + 1] = { 0 };

	(void)state;
	for (size_t i = 0; i < table.count; i++) {
		parcels += table.rows[i].insn.length == 2;
		seen[table.rows[i].insn.cls]++;
	}
	assert_int_equal(parcels, PARCELS);
	for (size_t cls = 0; cls <= HATCH_INSN_OTHER; cls++)
		assert_in_range(seen[cls], 256, table.count);
}

static void test_decode_agrees_with_binutils(void **state)
{
	struct hatch_insn got;

	(void)state;
	for (size_t i = 0; i < table.count; i++) {
		const struct hatch_insn *want = &table.rows[i].insn;
		bool known = decode(want->raw, &got);

		assert_same_insn(&got, want, want->raw);
		assert_int_equal(known, want->cls != HATCH_INSN_UNKNOWN);
		assert_int_equal(hatch_insn_length(want->raw), want->length);
	}
}

/* Whoever fetched four bytes of guest memory need not clear what follows a compressed one. */
static void test_compressed_ignores_the_next_parcel(void **state)
{
	struct hatch_insn got;

	(void)state;
	for (size_t i = 0; i < table.count; i++) {
		const struct hatch_insn *want = &table.rows[i].insn;

		if (want->length != 2)
			continue;
		decode(want->raw | 0xfffd0000, &got);
		assert_same_insn(&got, want, want->raw);
		assert_int_equal(hatch_insn_length(want->raw | 0xfffd0000), 2);
	}
}

static void test_csr_reads_and_writes(void **state)
{
	static const struct {
		uint32_t raw;
		bool reads, writes;
	} cases[] = {
		{ 0x14059073, false, true }, /* csrrw x0, sscratch, x11 */
		{ 0x14059573, true, true },  /* csrrw x10, sscratch, x11 */
		{ 0x14001573, true, true },  /* csrrw x10, sscratch, x0 */
		{ 0x14005073, false, true }, /* csrrwi x0, sscratch, 0 */
		{ 0x1400d573, true, true },  /* csrrwi x10, sscratch, 1 */
		{ 0x14002573, true, false }, /* csrrs x10, sscratch, x0 */
		{ 0x1405a073, true, true },  /* csrrs x0, sscratch, x11 */
		{ 0x14006573, true, false }, /* csrrsi x10, sscratch, 0 */
		{ 0x14086073, true, true },  /* csrrsi x0, sscratch, 16 */
		{ 0x14003573, true, false }, /* csrrc x10, sscratch, x0 */
		{ 0x14083573, true, true },  /* csrrc x10, sscratch, x16 */
		{ 0x14007573, true, false }, /* csrrci x10, sscratch, 0 */
		{ 0x1400f073, true, true },  /* csrrci x0, sscratch, 1 */
	};
	struct hatch_insn insn;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		decode(cases[i].raw, &insn);
		assert_int_equal(hatch_insn_reads_csr(&insn), cases[i].reads);
		assert_int_equal(hatch_insn_writes_csr(&insn), cases[i].writes);
	}
}

static void test_extend(void **state)
{
	static const uint64_t values[] = {
		0,
		1,
		0x7f,
		0x80,
		0xff,
		0x7fff,
		0x8000,
		0xffff,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		INT64_MAX,
		UINT64_C(1) << 63,
		UINT64_MAX,
		0x8182838485868788,
		0x7172737475767778,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		uint64_t v = values[i];

		assert_int_equal(hatch_insn_extend(v, 1, true), (uint64_t)(int8_t)v);
		assert_int_equal(hatch_insn_extend(v, 2, true), (uint64_t)(int16_t)v);
		assert_int_equal(hatch_insn_extend(v, 4, true), (uint64_t)(int32_t)v);
		assert_int_equal(hatch_insn_extend(v, 8, true), v);
		assert_int_equal(hatch_insn_extend(v, 1, false), (uint8_t)v);
		assert_int_equal(hatch_insn_extend(v, 2, false), (uint16_t)v);
		assert_int_equal(hatch_insn_extend(v, 4, false), (uint32_t)v);
		assert_int_equal(hatch_insn_extend(v, 8, false), v);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_covers_the_encodings),
		cmocka_unit_test(test_decode_agrees_with_binutils),
		cmocka_unit_test(test_compressed_ignores_the_next_parcel),
		cmocka_unit_test(test_csr_reads_and_writes),
		cmocka_unit_test(test_extend),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: test_insn TABLE (the file that insn_table.py writes)\n");
		return 1;
	}
	table = insn_table_read(argv[1]);
	return cmocka_run_group_tests_name("insn", tests, NULL, NULL);
}
