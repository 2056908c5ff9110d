/* SPDX-License-Identifier: MIT */
/*
 * ELF files: a good one, each way to be bad, and damage at every byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hatch/handlers/linux.h>

#define RAM_BASE UINT64_C(0x80000000)
#define RAM_SIZE 0x10000
#define VIRTUAL	 UINT64_C(0xffffffff80000000)

/* The file: header, two program headers, and the bytes of two segments. */
#define SEGMENTS 64
#define TEXT	 0x100
#define DATA	 0x180
#define FILE_END 0x1c0

static unsigned char *ram;
static struct hatch_guest guest;
static struct hatch_load load;
static unsigned char file[FILE_END];

const struct hatch_region *hatch_guest_region(const struct hatch_guest *g, hatch_gpa gpa)
{
	return gpa.addr - RAM_BASE < RAM_SIZE ? &g->region[0] : NULL;
}

void *hatch_guest_pointer(struct hatch_guest *g, hatch_gpa gpa, size_t *size, unsigned int prot)
{
	uint64_t offset = gpa.addr - RAM_BASE;

	assert_int_equal(prot, HATCH_PROT_WRITE);
	if (!hatch_guest_region(g, gpa))
		return NULL;
	if (*size > RAM_SIZE - offset)
		*size = RAM_SIZE - offset;
	return ram + offset;
}

static void put(size_t at, uint64_t value, size_t size)
{
	memcpy(file + at, &value, size);
}

static void put_segment(size_t at, uint64_t offset, uint64_t physical, uint64_t file_size,
			uint64_t memory_size)
{
	put(at, 1, 4);
	put(at + 8, offset, 8);
	put(at + 16, VIRTUAL + (physical - RAM_BASE), 8);
	put(at + 24, physical, 8);
	put(at + 32, file_size, 8);
	put(at + 40, memory_size, 8);
}

static void make_elf(void)
{
	memset(file, 0, sizeof(file));
	memset(file + TEXT, 0x11, 0x80);
	memset(file + DATA, 0x22, 0x40);
	memcpy(file, "\x7f\x45LF\2\1\1", 7);
	put(16, 2, 2);
	put(18, 243, 2);
	put(24, VIRTUAL + 0x1010, 8);
	put(32, SEGMENTS, 8);
	put(54, 56, 2);
	put(56, 2, 2);
	put_segment(SEGMENTS, TEXT, RAM_BASE + 0x1000, 0x80, 0x80);
	put_segment(SEGMENTS + 56, DATA, RAM_BASE + 0x2000, 0x40, 0x100);
}

static int load_elf(size_t size)
{
	/* A copy of just that size: a sanitizer finds every read beyond it. */
	unsigned char *copy = malloc(size);
	struct hatch_source source;
	int error;

	memcpy(copy, file, size);
	source = hatch_source_memory(copy, size, "the file");
	hatch_load_init(&load, &guest, hatch_gpa_of(RAM_BASE));
	error = hatch_payload_load(&load, &source);
	free(copy);
	return error;
}

static int set_up(void **state)
{
	(void)state;
	guest = (struct hatch_guest){ .regions = 1 };
	ram = malloc(RAM_SIZE);
	memset(ram, 0xee, RAM_SIZE);
	guest.region[0] =
		(struct hatch_region){ .base = { RAM_BASE }, .size = RAM_SIZE, .host = ram };
	make_elf();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(ram);
	return 0;
}

static void expect_problem(const char *text, int expected)
{
	int error = load_elf(FILE_END);

	assert_int_equal(error, expected);
	if (!strstr(load.problem, text))
		fail_msg("\"%s\" does not say \"%s\"", load.problem, text);
	make_elf();
}

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(load_elf(FILE_END), 0);
	assert_int_equal(load.entry.addr, RAM_BASE + 0x1010); /* virtual made physical */
	assert_int_equal(load.low.addr, RAM_BASE + 0x2100);
	assert_memory_equal(ram + 0x1000, file + TEXT, 0x80);
	assert_int_equal(ram[0xfff], 0xee);
	assert_int_equal(ram[0x1080], 0xee);
	assert_memory_equal(ram + 0x2000, file + DATA, 0x40);
	for (int i = 0x40; i < 0x100; i++)
		assert_int_equal(ram[0x2000 + i], 0);
	assert_int_equal(ram[0x2100], 0xee);
	put(16, 3, 2); /* position independent */
	assert_int_equal(load_elf(FILE_END), 0);
	put(SEGMENTS + 56, 4, 4); /* a note is not loaded */
	memset(ram, 0xee, RAM_SIZE);
	assert_int_equal(load_elf(FILE_END), 0);
	assert_int_equal(ram[0x2000], 0xee);
}

static void test_header(void **state)
{
	static const struct {
		size_t at, size;
		uint64_t value;
		const char *says;
	} fields[] = {
		{ 4, 1, 1, "not 64-bit" },
		{ 5, 1, 2, "not little-endian" },
		{ 18, 2, 62, "another machine" },
		{ 16, 2, 1, "not linked" },
		{ 16, 2, 4, "not linked" },
		{ 54, 2, 32, "foreign size" },
		{ 54, 2, 0, "foreign size" },
		{ 56, 2, 0, "no program headers" },
		{ 56, 2, 65, "more than 64" },
		{ 56, 2, 7, "beyond the end" },
		{ 32, 8, FILE_END - 111, "beyond the end" },
		{ 32, 8, UINT64_MAX, "beyond the end" },
		{ 24, 8, VIRTUAL + 0x1080, "entry" },
		{ 24, 8, RAM_BASE + 0x1000, "entry" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		put(fields[i].at, fields[i].value, fields[i].size);
		expect_problem(fields[i].says, HATCH_EFORMAT);
	}
}

static void test_segments(void **state)
{
	static const struct {
		uint64_t offset, physical, file_size, memory_size;
		int error;
		const char *says;
	} bad[] = {
		{ FILE_END + 1, RAM_BASE, 0, 16, HATCH_EFORMAT, "beyond the end" },
		{ FILE_END - 1, RAM_BASE, 2, 16, HATCH_EFORMAT, "beyond the end" },
		{ UINT64_MAX, RAM_BASE, 2, 16, HATCH_EFORMAT, "beyond the end" },
		{ 8, RAM_BASE, UINT64_MAX - 7, UINT64_MAX, HATCH_EFORMAT, "beyond the end" },
		{ TEXT, RAM_BASE, 17, 16, HATCH_EFORMAT, "larger in the file" },
		{ TEXT, RAM_BASE - 1, 16, 16, HATCH_E2BIG, "0x7fffffff" },
		{ TEXT, RAM_BASE + RAM_SIZE - 15, 16, 16, HATCH_E2BIG, "guest RAM is" },
		{ TEXT, RAM_BASE + RAM_SIZE, 16, 16, HATCH_E2BIG, "guest RAM is" },
		{ TEXT, RAM_BASE, 16, RAM_SIZE + 1, HATCH_E2BIG, "guest RAM is" },
		{ TEXT, RAM_BASE, 16, UINT64_MAX, HATCH_E2BIG, "guest RAM is" },
		{ TEXT, UINT64_MAX, 16, 16, HATCH_E2BIG, "guest RAM is" },
		{ TEXT, 0, 16, 16, HATCH_E2BIG, "guest RAM is" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_segment(SEGMENTS, bad[i].offset, bad[i].physical, bad[i].file_size,
			    bad[i].memory_size);
		expect_problem(bad[i].says, bad[i].error);
	}
}

/* Cut off anywhere, it is refused or its loaded part is whole; nothing is read beyond the end. */
static void test_truncated(void **state)
{
	(void)state;
	for (size_t size = 4; size < FILE_END; size++)
		assert_int_equal(load_elf(size), HATCH_EFORMAT);
}

/* Each byte of the headers with each value: whatever happens, it happens within RAM and file. */
static void test_damaged(void **state)
{
	int loaded = 0, refused = 0;

	(void)state;
	for (size_t at = 4; at < SEGMENTS + 112; at++) {
		for (unsigned int value = 0; value < 256; value++) {
			file[at] = (unsigned char)value;
			if (load_elf(FILE_END))
				refused++;
			else
				loaded++;
			assert_true(load.low.addr >= RAM_BASE);
			assert_true(load.low.addr <= RAM_BASE + RAM_SIZE);
		}
		make_elf();
	}
	assert_true(loaded > 0 && refused > 0);
}

/* The same with headers of random bytes behind a good magic. */
static void test_random(void **state)
{
	uint64_t random = 88172645463325252;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		make_elf();
		for (int i = 0; i < 6; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			file[16 + random % (SEGMENTS + 112 - 16)] = (unsigned char)(random >> 32);
		}
		load_elf(FILE_END);
		assert_true(load.low.addr >= RAM_BASE);
		assert_true(load.low.addr <= RAM_BASE + RAM_SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_header, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_segments, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_truncated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_random, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
