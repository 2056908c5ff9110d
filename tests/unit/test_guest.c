/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory: its regions, and the host's way into them with the guest's own rights.
 */
#include <sys/mman.h>

#include "support.h"

#include "gstage_arena.h"

static struct hatch_guest guest;

/* The machine's part of hatch_guest_init finds the mode out; here it is chosen. */
static int setup(void **state)
{
	(void)state;
	guest = (struct hatch_guest){ .regions = 0 };
	begin(&guest.stage, HATCH_SV39X4);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hatch_guest_fini(&guest);
	assert_int_equal(arena.bytes, 0);
	assert_int_equal(guest.regions, 0);
	return 0;
}

static int add_ram(uint64_t base, uint64_t size)
{
	return hatch_guest_add_ram(&guest, hatch_gpa_of(base), size);
}

static int add_lazy(uint64_t base, uint64_t size)
{
	return hatch_guest_add_lazy(&guest, hatch_gpa_of(base), size);
}

static int read_at(uint64_t gpa, void *to, size_t size)
{
	return hatch_guest_read(&guest, hatch_gpa_of(gpa), to, size);
}

static int write_at(uint64_t gpa, const void *from, size_t size)
{
	return hatch_guest_write(&guest, hatch_gpa_of(gpa), from, size);
}

/* ---- Regions ---- */

static void test_region(void **state)
{
	static const uint64_t inside[] = { 0x80000000, 0x80000001, 0x80002fff };
	static const uint64_t outside[] = { 0, 0x7fffffff, 0x80003000, UINT64_MAX };

	(void)state;
	assert_int_equal(add_ram(0x80000000, 0x3000), HATCH_OK);
	assert_int_equal(add_lazy(0x90000000, 0x1000), HATCH_OK);
	for (size_t i = 0; i < COUNT_OF(inside); i++)
		assert_ptr_equal(hatch_guest_region(&guest, hatch_gpa_of(inside[i])),
				 &guest.region[0]);
	for (size_t i = 0; i < COUNT_OF(outside); i++)
		assert_null(hatch_guest_region(&guest, hatch_gpa_of(outside[i])));
	assert_ptr_equal(hatch_guest_region(&guest, hatch_gpa_of(0x90000fff)), &guest.region[1]);
}

/* Refuses, and leaves no trace: neither a region, nor memory, nor a mapping. */
static void expect_refusal(uint64_t base, uint64_t size, int expected)
{
	static uint8_t lent[0x1000] __attribute__((aligned(0x1000)));
	unsigned int regions = guest.regions;
	size_t bytes = arena.bytes;

	assert_int_equal(add_ram(base, size), expected);
	assert_int_equal(add_lazy(base, size), expected);
	assert_int_equal(hatch_guest_lend(&guest, hatch_gpa_of(base), lent, size, HATCH_PROT_READ),
			 expected);
	assert_int_equal(guest.regions, regions);
	assert_int_equal(arena.bytes, bytes);
}

static void test_invalid(void **state)
{
	(void)state;
	expect_refusal(0x80000000, 0, HATCH_EINVAL);
	expect_refusal(0x80000000, 0x800, HATCH_EINVAL);
	expect_refusal(0x80000800, 0x1000, HATCH_EINVAL);
	expect_refusal(UINT64_MAX - 0xfff, 0x2000, HATCH_EINVAL); /* over the end */
	expect_refusal(0x2000, UINT64_MAX - 0xfff, HATCH_EINVAL);
}

static void test_overlap(void **state)
{
	static const struct {
		uint64_t base, size;
	} cases[] = {
		{ 0x80000000, 0x1000 }, { 0x80002000, 0x1000 },	    { 0x7ffff000, 0x2000 },
		{ 0x80002000, 0x5000 }, { 0x70000000, 0x20000000 },
	};

	(void)state;
	assert_int_equal(add_lazy(0x80000000, 0x3000), HATCH_OK);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_refusal(cases[i].base, cases[i].size, HATCH_EOVERLAP);
	assert_int_equal(add_lazy(0x7ffff000, 0x1000), HATCH_OK);
	assert_int_equal(add_lazy(0x80003000, 0x1000), HATCH_OK);
}

static void test_too_many(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < HATCH_GUEST_REGIONS; i++)
		assert_int_equal(add_lazy(i << 20, 0x1000), HATCH_OK);
	expect_refusal(HATCH_GUEST_REGIONS << 20, 0x1000, HATCH_E2BIG);
}

/* Whichever allocation fails first, the memory's own or a table's, nothing stays behind. */
static void test_out_of_memory(void **state)
{
	int error = HATCH_ENOMEM;
	int needed = 0;

	(void)state;
	for (; error == HATCH_ENOMEM; needed++) {
		size_t bytes = arena.bytes;

		arena.fail_after = needed;
		error = add_ram(0x80000000, 0x3000);
		if (error)
			assert_int_equal(arena.bytes, bytes);
		assert_int_equal(guest.regions, error ? 0 : 1);
	}
	assert_int_equal(error, HATCH_OK);
	assert_int_equal(needed, 1 + 1 + 2); /* the RAM, tables of two levels below the root */
}

static void test_beyond_address_space(void **state)
{
	size_t bytes = arena.bytes;

	(void)state;
	assert_int_equal(add_ram(BIT(41), 0x1000), HATCH_EINVAL);
	assert_int_equal(arena.bytes, bytes);
	assert_int_equal(guest.regions, 0);
	assert_int_equal(add_ram(BIT(41) - 0x1000, 0x1000), HATCH_OK);
}

/* ---- Memory ---- */

static void test_ram_is_zero(void **state)
{
	uint8_t bytes[0x3000];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(add_ram(0x80000000, 0x3000), HATCH_OK);
	assert_int_equal(read_at(0x80000000, bytes, sizeof(bytes)), HATCH_OK);
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
}

/* Large RAM takes large leaves: that is what its memory is aligned for. */
static void test_large_leaves(void **state)
{
	struct hatch_mapping m;

	(void)state;
	assert_int_equal(add_ram(0x80000000, 4 * MIB), HATCH_OK);
	assert_int_equal(hatch_gstage_lookup(&guest.stage, hatch_gpa_of(0x80200000), &m), HATCH_OK);
	assert_int_equal(m.size, 2 * MIB);
	assert_int_equal(m.prot, HATCH_PROT_ALL);
}

/* Memory that is there when it is touched, and only at boundaries up to `boundary`. */
static size_t boundary;

static void *huge_alloc(void *arg, size_t size, size_t align)
{
	uint8_t *p;

	if (size < GIB)
		return arena_alloc(arg, size, align);
	if (align > boundary)
		return NULL;
	p = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	return p + (-arena_physical(arg, p).addr & (GIB - 1)) + (align < GIB ? align : 0);
}

/* The test ends, and with it the mapping. */
static void huge_free(void *arg, void *p, size_t size)
{
	if (size < GIB)
		arena_free(arg, p, size);
}

static void expect_largest(uint64_t align, uint64_t leaf)
{
	struct hatch_mapping m;

	boundary = align;
	arena.memory.alloc = huge_alloc;
	arena.memory.free = huge_free;
	assert_int_equal(add_ram(0x80000000, GIB), HATCH_OK);
	assert_int_equal(hatch_gstage_lookup(&guest.stage, hatch_gpa_of(0x80000000), &m), HATCH_OK);
	assert_int_equal(m.size, leaf);
}

static void test_largest_leaf(void **state)
{
	(void)state;
	expect_largest(GIB, GIB);
}

/* Where there is no room at such a boundary, the next smaller one does. */
static void test_no_room_for_largest_leaf(void **state)
{
	(void)state;
	expect_largest(2 * MIB, 2 * MIB);
}

/* Two regions side by side: one guest-physical range, two pieces of host memory. */
static void test_across_regions(void **state)
{
	uint8_t out[0x1800], in[0x1800];

	(void)state;
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)random_bits();
	assert_int_equal(add_ram(0x80001000, 0x1000), HATCH_OK);
	assert_int_equal(add_ram(0x80000000, 0x1000), HATCH_OK);
	assert_int_equal(write_at(0x80000400, out, sizeof(out)), HATCH_OK);
	assert_int_equal(read_at(0x80000400, in, sizeof(in)), HATCH_OK);
	assert_memory_equal(in, out, sizeof(in));
	assert_memory_equal((uint8_t *)guest.region[1].host + 0x400, out, 0xc00);
	assert_memory_equal(guest.region[0].host, out + 0xc00, 0xc00);
}

/* The bytes before the page that is not there are copied, none behind it. */
static void test_into_a_hole(void **state)
{
	uint8_t out[0x1800], in[0x1800];

	(void)state;
	memset(out, 0x5a, sizeof(out));
	memset(in, 0, sizeof(in));
	assert_int_equal(add_ram(0x80000000, 0x1000), HATCH_OK);
	assert_int_equal(add_lazy(0x80001000, 0x1000), HATCH_OK);
	assert_int_equal(add_ram(0x80002000, 0x1000), HATCH_OK);
	assert_int_equal(write_at(0x80000c00, out, sizeof(out)), HATCH_EFAULT);
	assert_memory_equal((uint8_t *)guest.region[0].host + 0xc00, out, 0x400);
	assert_int_equal(*(uint8_t *)guest.region[2].host, 0);
	assert_int_equal(read_at(0x80000c00, in, sizeof(in)), HATCH_EFAULT);
	assert_memory_equal(in, out, 0x400);
	assert_int_equal(in[0x400], 0);
}

static void test_nothing_there(void **state)
{
	static const uint64_t nowhere[] = { 0, 0x7fffffff, 0x80001000, BIT(41), UINT64_MAX - 1 };
	uint8_t bytes[8] = { 0 };

	(void)state;
	assert_int_equal(add_ram(0x80000000, 0x1000), HATCH_OK);
	for (size_t i = 0; i < COUNT_OF(nowhere); i++) {
		assert_int_equal(read_at(nowhere[i], bytes, sizeof(bytes)), HATCH_EFAULT);
		assert_int_equal(write_at(nowhere[i], bytes, sizeof(bytes)), HATCH_EFAULT);
		assert_int_equal(read_at(nowhere[i], bytes, 0), HATCH_OK);
	}
	assert_int_equal(write_at(0x80000ff9, bytes, 8), HATCH_EFAULT);
	assert_int_equal(write_at(0x80000ff8, bytes, 8), HATCH_OK);
}

/* ---- Lent memory and rights ---- */

static uint8_t lent[0x2000] __attribute__((aligned(0x1000)));

static void test_lend(void **state)
{
	(void)state;
	memset(lent, 1, sizeof(lent));
	assert_int_equal(hatch_guest_lend(&guest, hatch_gpa_of(0x1000), lent, sizeof(lent),
					  HATCH_PROT_READ | HATCH_PROT_WRITE),
			 HATCH_OK);
	assert_int_equal(write_at(0x1fff, "ab", 2), HATCH_OK);
	assert_int_equal(lent[0xfff], 'a');
	assert_int_equal(lent[0x1000], 'b');
	assert_int_equal(hatch_guest_lend(&guest, hatch_gpa_of(0x8000), NULL, 0x1000, 1),
			 HATCH_EINVAL);
	assert_int_equal(hatch_guest_lend(&guest, hatch_gpa_of(0x8000), lent + 8, 0x1000, 1),
			 HATCH_EINVAL);
	assert_int_equal(hatch_guest_lend(&guest, hatch_gpa_of(0x8000), lent, 0x1000, 0),
			 HATCH_EINVAL);
	assert_int_equal(guest.regions, 1);
}

/* The host obeys the guest's rights: what the guest could not do is not done for it. */
static void test_rights(void **state)
{
	static const struct {
		unsigned int prot;
		int read, write;
	} cases[] = {
		{ HATCH_PROT_READ, HATCH_OK, HATCH_EFAULT },
		{ HATCH_PROT_READ | HATCH_PROT_WRITE, HATCH_OK, HATCH_OK },
		{ HATCH_PROT_EXEC, HATCH_EFAULT, HATCH_EFAULT },
		{ HATCH_PROT_READ | HATCH_PROT_EXEC, HATCH_OK, HATCH_EFAULT },
		{ HATCH_PROT_ALL, HATCH_OK, HATCH_OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t base = (i + 1) << 20;
		uint8_t byte = 0;

		assert_int_equal(
			hatch_guest_lend(&guest, hatch_gpa_of(base), lent, 0x1000, cases[i].prot),
			HATCH_OK);
		assert_int_equal(read_at(base, &byte, 1), cases[i].read);
		assert_int_equal(write_at(base, &byte, 1), cases[i].write);
	}
}

static void test_pointer(void **state)
{
	size_t size = 0x5000;
	uint8_t *p;

	(void)state;
	assert_int_equal(add_ram(0x80000000, 0x2000), HATCH_OK);
	p = hatch_guest_pointer(&guest, hatch_gpa_of(0x80000123), &size, HATCH_PROT_WRITE);
	assert_ptr_equal(p, (uint8_t *)guest.region[0].host + 0x123);
	assert_true(size >= 0x1000 - 0x123 && size <= 0x2000 - 0x123);
	size = 16;
	assert_non_null(hatch_guest_pointer(&guest, hatch_gpa_of(0x80000ff0), &size, 7));
	assert_int_equal(size, 16);
	assert_null(hatch_guest_pointer(&guest, hatch_gpa_of(0x80002000), &size, 0));
	assert_int_equal(hatch_gstage_protect(&guest.stage, hatch_gpa_of(0x80001000), 0x1000,
					      HATCH_PROT_READ),
			 HATCH_OK);
	assert_null(hatch_guest_pointer(&guest, hatch_gpa_of(0x80001000), &size, HATCH_PROT_WRITE));
	assert_null(hatch_guest_pointer(&guest, hatch_gpa_of(0x80001000), &size, HATCH_PROT_ALL));
	assert_non_null(
		hatch_guest_pointer(&guest, hatch_gpa_of(0x80001000), &size, HATCH_PROT_READ));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_region),	   CASE(test_invalid),
		CASE(test_overlap),	   CASE(test_too_many),
		CASE(test_out_of_memory),  CASE(test_beyond_address_space),
		CASE(test_ram_is_zero),	   CASE(test_large_leaves),
		CASE(test_across_regions), CASE(test_into_a_hole),
		CASE(test_nothing_there),  CASE(test_lend),
		CASE(test_rights),	   CASE(test_pointer),
		CASE(test_largest_leaf),   CASE(test_no_room_for_largest_leaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
