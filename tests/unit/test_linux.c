/* SPDX-License-Identifier: MIT */
/*
 * The guest loader: good files go where they belong, every bad one is told apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hatch/handlers/linux.h>

#define RAM_BASE UINT64_C(0x80000000)
#define MIB	 (UINT64_C(1) << 20)
#define RAM_SIZE (8 * MIB)
#define KERNEL	 (2 * MIB) /* where programs go, from the start of RAM */
#define PIECE	 (2 * MIB) /* what is contiguous in one look */

static unsigned char *ram; /* of exactly RAM_SIZE bytes: a sanitizer finds what is beyond */
static struct hatch_guest guest;
static struct hatch_load load;
static unsigned char file[8192];

const struct hatch_region *hatch_guest_region(const struct hatch_guest *g, hatch_gpa gpa)
{
	return gpa.addr - RAM_BASE < RAM_SIZE ? &g->region[0] : NULL;
}

/* As the real one: cut at the end of a leaf of the translation. */
void *hatch_guest_pointer(struct hatch_guest *g, hatch_gpa gpa, size_t *size, unsigned int prot)
{
	uint64_t offset = gpa.addr - RAM_BASE;

	assert_int_equal(prot, HATCH_PROT_WRITE);
	if (!hatch_guest_region(g, gpa) || !g->region[0].host)
		return NULL;
	if (*size > PIECE - offset % PIECE)
		*size = PIECE - offset % PIECE;
	return ram + offset;
}

static int set_up(void **state)
{
	(void)state;
	guest = (struct hatch_guest){ .regions = 1 };
	ram = malloc(RAM_SIZE);
	memset(ram, 0xee, RAM_SIZE);
	guest.region[0] =
		(struct hatch_region){ .base = { RAM_BASE }, .size = RAM_SIZE, .host = ram };
	memset(file, 0, sizeof(file));
	return hatch_load_init(&load, &guest, hatch_gpa_of(RAM_BASE));
}

static int tear_down(void **state)
{
	(void)state;
	free(ram);
	return 0;
}

static void put(size_t at, uint64_t value, size_t size)
{
	memcpy(file + at, &value, size); /* on a little-endian machine */
}

static struct hatch_source source(size_t size)
{
	return hatch_source_memory(file, size, "the file");
}

/* The call failed so, and what is said contains the text and what to do next. */
static void expect_problem(int error, int expected, const char *text)
{
	assert_int_equal(error, expected);
	if (!strstr(load.problem, text))
		fail_msg("\"%s\" does not say \"%s\"", load.problem, text);
	assert_null(strchr(load.problem, '\n'));
	assert_true(strlen(load.problem) < sizeof(load.problem) - 1);
}

/* ---- kernel Image ---- */

#define IMAGE_FILE 6000
#define IMAGE_SIZE 10000

static void make_image(void)
{
	for (size_t i = 0; i < sizeof(file); i++)
		file[i] = (unsigned char)i;
	memset(file, 0, 64);
	put(8, KERNEL, 8);
	put(16, IMAGE_SIZE, 8);
	put(32, 2, 4);
	put(48, UINT64_C(0x5643534952), 8);
	put(56, 0x05435352, 4);
}

static int load_image(size_t size)
{
	const struct hatch_source kernel = source(size);

	hatch_load_init(&load, &guest, hatch_gpa_of(RAM_BASE));
	return hatch_linux_load(&load, &kernel);
}

static void test_image(void **state)
{
	(void)state;
	make_image();
	assert_int_equal(load_image(IMAGE_FILE), 0);
	assert_int_equal(load.entry.addr, RAM_BASE + KERNEL);
	assert_memory_equal(ram + KERNEL, file, IMAGE_FILE);
	for (size_t i = IMAGE_FILE; i < IMAGE_SIZE; i++)
		assert_int_equal(ram[KERNEL + i], 0);
	assert_int_equal(ram[KERNEL + IMAGE_SIZE], 0xee);
	assert_int_equal(ram[KERNEL - 1], 0xee);
	assert_int_equal(load.low.addr, RAM_BASE + KERNEL + IMAGE_SIZE);
	put(48, 0, 8); /* deprecated: its absence does no harm */
	assert_int_equal(load_image(IMAGE_FILE), 0);
}

static void test_not_an_image(void **state)
{
	static const struct {
		const char *start, *says;
	} files[] = {
		{ "\x1f\x8b", "gunzip" },  { "\x28\xb5\x2f\xfd", "unzstd" },
		{ "\xfd\x37zXZ", "unxz" }, { "\x7f\x45LF", "payload" },
		{ "#!/bin/sh", "RSC" },
	};

	(void)state;
	expect_problem(load_image(0), HATCH_EFORMAT, "empty");
	expect_problem(load_image(63), HATCH_EFORMAT, "shorter than the header");
	expect_problem(load_image(4096), HATCH_EFORMAT, "RSC");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		memcpy(file, files[i].start, strlen(files[i].start));
		expect_problem(load_image(4096), HATCH_EFORMAT, files[i].says);
	}
	make_image();
	put(56, 0, 4);
	expect_problem(load_image(IMAGE_FILE), HATCH_EFORMAT, "older than version 0.2");
}

/* Each field of the header, one at a time. */
static void test_image_fields(void **state)
{
	static const struct {
		size_t at, size;
		uint64_t value;
		int error;
		const char *says;
	} fields[] = {
		{ 8, 8, KERNEL + 4096, HATCH_EFORMAT, "text_offset" },
		{ 8, 8, RAM_SIZE, HATCH_E2BIG, "more memory" },
		{ 8, 8, UINT64_MAX - 2 * MIB + 1, HATCH_E2BIG, "more memory" },
		{ 16, 8, 0, HATCH_EFORMAT, "image_size" },
		{ 16, 8, IMAGE_FILE - 1, HATCH_EFORMAT, "image_size" },
		{ 16, 8, RAM_SIZE - KERNEL + 1, HATCH_E2BIG, "more memory" },
		{ 16, 8, UINT64_MAX, HATCH_E2BIG, "more memory" },
		{ 16, 8, UINT64_MAX - KERNEL + 1, HATCH_E2BIG, "more memory" },
		{ 24, 8, 1, HATCH_EFORMAT, "big-endian" },
		{ 32, 4, 0x10000, HATCH_EFORMAT, "version 1.0" },
		{ 32, 4, 1, HATCH_EFORMAT, "version 0.1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		make_image();
		put(fields[i].at, fields[i].value, fields[i].size);
		expect_problem(load_image(IMAGE_FILE), fields[i].error, fields[i].says);
		assert_int_equal(ram[KERNEL], 0xee); /* nothing was loaded */
	}
}

/* A kernel with the EFI stub tells where its sections end in the file. */
static void test_image_truncated(void **state)
{
	(void)state;
	make_image();
	put(0, 'M' | 'Z' << 8, 2);
	put(0x3c, 0x40, 4);
	memcpy(file + 0x40, "PE\0", 4);
	put(0x46, 2, 2);    /* sections */
	put(0x54, 0xa0, 2); /* bytes of optional header */
	size_t section = 0x40 + 24 + 0xa0;
	put(section + 16, 0x1000, 4);
	put(section + 20, 0x200, 4);
	put(section + 40 + 16, IMAGE_FILE - 0x1200, 4);
	put(section + 40 + 20, 0x1200, 4);
	assert_int_equal(load_image(IMAGE_FILE), 0);
	expect_problem(load_image(IMAGE_FILE - 1), HATCH_EFORMAT, "truncated");
	for (size_t size = 64; size < IMAGE_FILE; size += 7)
		expect_problem(load_image(size), HATCH_EFORMAT, "truncated");
	put(section + 40 + 16, UINT32_MAX, 4);
	expect_problem(load_image(IMAGE_FILE), HATCH_EFORMAT, "truncated");
	put(0x3c, UINT32_MAX, 4); /* the PE header itself is beyond the end */
	expect_problem(load_image(IMAGE_FILE), HATCH_EFORMAT, "truncated");
}

/* ---- flat binary and initrd ---- */

static int load_payload(size_t size)
{
	const struct hatch_source payload = source(size);

	hatch_load_init(&load, &guest, hatch_gpa_of(RAM_BASE));
	return hatch_payload_load(&load, &payload);
}

static void test_flat(void **state)
{
	(void)state;
	memset(file, 0x13, 5);
	for (size_t size = 1; size <= 5; size++) {
		assert_int_equal(load_payload(size), 0);
		assert_int_equal(load.entry.addr, RAM_BASE + KERNEL);
		assert_memory_equal(ram + KERNEL, file, size);
		assert_int_equal(ram[KERNEL + size], 0xee);
	}
	expect_problem(load_payload(0), HATCH_EFORMAT, "empty");
}

/* A source that can only be read from its start, and larger than one leaf of the translation. */
static int read_from_start(void *arg, uint64_t offset, void *to, size_t size)
{
	(void)arg;
	if (offset)
		return HATCH_ENOTSUP;
	memset(to, 0x5a, size);
	return 0;
}

static void test_large(void **state)
{
	struct hatch_source large = { read_from_start, NULL, 5 * MIB, "the file" };

	(void)state;
	assert_int_equal(hatch_payload_load(&load, &large), 0);
	assert_int_equal(ram[KERNEL + 5 * MIB - 1], 0x5a);
	assert_int_equal(ram[KERNEL + 5 * MIB], 0xee);
	large.size = 6 * MIB + 1;
	expect_problem(hatch_payload_load(&load, &large), HATCH_E2BIG, "more memory");
	large.size = UINT64_MAX;
	expect_problem(hatch_payload_load(&load, &large), HATCH_E2BIG, "more memory");
}

static int read_nothing(void *arg, uint64_t offset, void *to, size_t size)
{
	(void)arg;
	(void)offset;
	(void)to;
	(void)size;
	return HATCH_ENOENT;
}

static void test_unreadable(void **state)
{
	const struct hatch_source bad = { read_nothing, NULL, 4096, "the file" };
	hatch_gpa at;

	(void)state;
	expect_problem(hatch_linux_load(&load, &bad), HATCH_ENOENT, "HATCH_ENOENT");
	expect_problem(hatch_payload_load(&load, &bad), HATCH_ENOENT, "HATCH_ENOENT");
	expect_problem(hatch_initrd_load(&load, &bad, &at), HATCH_ENOENT, "HATCH_ENOENT");
}

static void test_initrd(void **state)
{
	hatch_gpa tree, at;
	struct hatch_source initrd;

	(void)state;
	make_image();
	assert_int_equal(load_image(IMAGE_FILE), 0);
	assert_int_equal(hatch_load_reserve(&load, 65536, "tree", &tree), 0);
	assert_int_equal(tree.addr, RAM_BASE + RAM_SIZE - 65536);
	initrd = source(5000);
	assert_int_equal(hatch_initrd_load(&load, &initrd, &at), 0);
	assert_int_equal(at.addr, tree.addr - 8192);
	assert_memory_equal(ram + (at.addr - RAM_BASE), file, 5000);
	/* exactly what is left above the kernel's zeroed data, then a byte more */
	initrd = (struct hatch_source){ read_from_start, NULL, 0, "the initrd" };
	initrd.size = at.addr - (RAM_BASE + KERNEL + 3 * 4096);
	assert_int_equal(hatch_initrd_load(&load, &initrd, &at), 0);
	assert_int_equal(at.addr, RAM_BASE + KERNEL + 3 * 4096);
	initrd.size = 4096;
	expect_problem(hatch_initrd_load(&load, &initrd, &at), HATCH_E2BIG, "more memory");
	initrd.size = UINT64_MAX;
	expect_problem(hatch_initrd_load(&load, &initrd, &at), HATCH_E2BIG, "more memory");
	assert_memory_equal(ram + KERNEL, file, IMAGE_FILE);
}

static void test_no_ram(void **state)
{
	const struct hatch_source flat = source(10);

	(void)state;
	expect_problem(hatch_load_init(&load, &guest, hatch_gpa_of(RAM_BASE - 1)), HATCH_EFAULT,
		       "no RAM");
	assert_int_equal(hatch_load_init(&load, &guest, hatch_gpa_of(RAM_BASE)), 0);
	guest.region[0].host = NULL; /* demand paged: no page is there yet */
	expect_problem(hatch_payload_load(&load, &flat), HATCH_EFAULT, "demand-paged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_image, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_an_image, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_image_fields, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_image_truncated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flat, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_large, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unreadable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_initrd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_ram, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
