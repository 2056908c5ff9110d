/* SPDX-License-Identifier: MIT */
/*
 * The SBI calls that touch guest memory: the debug console and the legacy calls.
 */
#include "sbi_fake.h"

/* A legacy call is answered with this value in a0; a1 stays the guest's. */
#define EXPECT_LEGACY(value_, id, ...)                                                             \
	do {                                                                                       \
		assert_int_equal(CALL(id, 99, __VA_ARGS__), HATCH_RESUME);                         \
		assert_false(k.pair);                                                              \
		assert_int_equal((int64_t)k.value, value_);                                        \
	} while (0)

static void fill(void *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((unsigned char *)at)[i] = (unsigned char)(i * 7 + i / 256);
}

static void test_write(void **state)
{
	static const size_t sizes[] = { 1, 255, 256, 257, 1000, 4096 };

	(void)state;
	fill(ram, sizeof(ram));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		console_out_size = 0;
		EXPECT(0, sizes[i], SBI_EXT_DBCN, 0, sizes[i], RAM_BASE + 0xf81, 0);
		assert_int_equal(console_out_size, sizes[i]);
		assert_memory_equal(console_out, ram + 0xf81, sizes[i]);
	}
	EXPECT(0, 0, SBI_EXT_DBCN, 0, 0, RAM_BASE, 0);
	console_out_size = 0;
	EXPECT(0, 4096, SBI_EXT_DBCN, 0, 5000, RAM_BASE, 0); /* in part: one call is bounded */
	assert_int_equal(console_out_size, 4096);
}

/* Regions that touch are one range; ROM can be read from. */
static void test_write_across(void **state)
{
	(void)state;
	fill(ram, sizeof(ram));
	fill(rom, sizeof(rom));
	EXPECT(0, 300, SBI_EXT_DBCN, 0, 300, ROM_BASE - 100, 0);
	assert_memory_equal(console_out, ram + RAM_SIZE - 100, 100);
	assert_memory_equal(console_out + 100, rom, 200);
	console_out_size = 0;
	EXPECT(0, 16, SBI_EXT_DBCN, 0, 16, UINT64_MAX - 15, 0);
	assert_memory_equal(console_out, top + sizeof(top) - 16, 16);
}

/* Every range that is not wholly the guest's, for both directions. */
static void test_ranges(void **state)
{
	static const uint64_t bad[][3] = {
		{ 1, RAM_BASE, 1 },		    /* high half of the address */
		{ 1, RAM_BASE, UINT64_MAX },	    /* all of it */
		{ 1, RAM_BASE - 1, 0 },		    /* before */
		{ 2, RAM_BASE - 1, 0 },		    /* begins before */
		{ 2, ROM_BASE + ROM_SIZE - 1, 0 },  /* ends behind */
		{ UINT64_MAX, RAM_BASE, 0 },	    /* wraps */
		{ UINT64_MAX, UINT64_MAX, 0 },	    /* wraps to itself */
		{ 17, UINT64_MAX - 15, 0 },	    /* one byte beyond the last address */
		{ 1, 0, 0 },			    /* nowhere */
		{ 1, LAZY_BASE, 0 },		    /* RAM, but no page is there */
		{ UINT64_C(1) << 63, RAM_BASE, 0 }, /* enormous */
	};

	(void)state;
	console_in = "abc";
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (uint64_t function = 0; function < 2; function++)
			EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_DBCN, function, bad[i][0],
			       bad[i][1], bad[i][2]);
	assert_int_equal(console_out_size, 0);
	assert_string_equal(console_in, "abc"); /* nothing was taken off the console */
}

static void test_read(void **state)
{
	(void)state;
	console_in = "hello";
	EXPECT(0, 3, SBI_EXT_DBCN, 1, 3, RAM_BASE + 0xfff, 0);
	assert_memory_equal(ram + 0xfff, "hel", 4); /* and no byte more */
	EXPECT(0, 0, SBI_EXT_DBCN, 1, 0, RAM_BASE, 0);
	EXPECT(0, 2, SBI_EXT_DBCN, 1, 100, RAM_BASE, 0);
	assert_memory_equal(ram, "lo", 3);
	EXPECT(0, 0, SBI_EXT_DBCN, 1, 100, RAM_BASE, 0);
	console_in = "x";
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_DBCN, 1, 1, ROM_BASE, 0); /* not writable */
	assert_string_equal(console_in, "x");
}

static void test_write_byte(void **state)
{
	(void)state;
	EXPECT(0, 0, SBI_EXT_DBCN, 2, 'A');
	EXPECT(0, 0, SBI_EXT_DBCN, 2, UINT64_C(0xffffffffffffff42)); /* the low 8 bits count */
	assert_int_equal(console_out_size, 2);
	assert_memory_equal(console_out, "AB", 2);
	EXPECT(SBI_ERR_NOT_SUPPORTED, 0, SBI_EXT_DBCN, 3, 0);
}

static void test_no_console(void **state)
{
	(void)state;
	sbi.console = (struct hatch_sbi_console){ 0 };
	EXPECT(SBI_ERR_DENIED, 0, SBI_EXT_DBCN, 0, 1, RAM_BASE, 0);
	EXPECT(SBI_ERR_DENIED, 0, SBI_EXT_DBCN, 1, 1, RAM_BASE, 0);
	EXPECT(SBI_ERR_DENIED, 0, SBI_EXT_DBCN, 2, 'A');
	EXPECT_LEGACY(0, 1, 'A'); /* thrown away */
	EXPECT_LEGACY(-1, 2, 0);
}

static void test_legacy(void **state)
{
	(void)state;
	EXPECT_LEGACY(0, 0, 1234);
	assert_int_equal(armed, 1234);
	EXPECT_LEGACY(0, 1, 'A');
	assert_memory_equal(console_out, "A", 1);
	console_in = "\xff";
	EXPECT_LEGACY(0xff, 2, 0);
	EXPECT_LEGACY(-1, 2, 0);
	vcpu[0].hvip = HVIP_VSSIP | HVIP_VSTIP;
	EXPECT_LEGACY(1, 3, 0);
	assert_int_equal(vcpu[0].hvip, HVIP_VSTIP);
	EXPECT_LEGACY(0, 3, 0);
	assert_int_equal(CALL(8, 0, 0), HATCH_UNWIND);
	assert_int_equal(sbi.reset, HATCH_RESET_SHUTDOWN);
	assert_int_equal(k.status, 0);
}

static void put_mask(uint64_t first, uint64_t second)
{
	memcpy(ram + 0x100, &first, sizeof(first));
	memcpy(ram + 0x108, &second, sizeof(second));
}

/* Harts 0, 1 and 70: two words, whose other bits belong to nobody. */
static void test_legacy_mask(void **state)
{
	const uint64_t mask = RAM_BASE + 0x100;

	(void)state;
	hart[1].state = hart[2].state = SBI_HART_STARTED;
	put_mask(1, 0);
	EXPECT_LEGACY(0, 4, mask);
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
	EXPECT_RECORD("");
	put_mask(~UINT64_C(1), 1 << 6);
	EXPECT_LEGACY(0, 4, mask);
	assert_int_equal(vcpu[1].hvip & vcpu[2].hvip, HVIP_VSSIP);
	EXPECT_LEGACY(0, 5, 0); /* no mask: everybody */
	EXPECT_RECORD("0@0 0@1 0@70 ");
	put_mask(1, 1 << 6);
	EXPECT_LEGACY(0, 6, mask, 0x2000, 0x1000);
	EXPECT_RECORD("1@0:2000+1000 1@70:2000+1000 ");
	put_mask(1, 0);
	EXPECT_LEGACY(0, 6, mask, 0, 0);
	EXPECT_RECORD("1@0:0+ffffffffffffffff ");
	EXPECT_LEGACY(0, 7, mask, 0x2000, 0x1000, 3);
	EXPECT_RECORD("2@0:2000+1000/3 ");
	EXPECT_LEGACY(SBI_ERR_INVALID_ADDRESS, 7, mask, UINT64_MAX, 2, 3);
	EXPECT_RECORD("");
}

static void expect_fault(uint64_t cause, uint64_t at)
{
	assert_int_equal(CALL(4, 0, at), HATCH_INJECT);
	assert_int_equal(k.value, cause);
	assert_int_equal(k.second, at);
	assert_int_equal(vcpu[0].hvip, 0);
}

static void test_legacy_faults(void **state)
{
	(void)state;
	expect_fault(CAUSE_LOAD_ACCESS, RAM_BASE - 8);
	expect_fault(CAUSE_LOAD_ACCESS, LAZY_BASE);
	expect_fault(CAUSE_LOAD_MISALIGNED, RAM_BASE + 4);
	expect_fault(CAUSE_LOAD_ACCESS, UINT64_MAX - 7 - 0x1000);
}

#define SATP_SV39      (UINT64_C(8) << 60 | RAM_BASE >> 12)
#define PTE(at, flags) ((UINT64_C(at) >> 12) << 10 | (flags))
#define V	       1
#define R	       2
#define W	       4
#define X	       8
#define U	       16

static void put_entry(uint64_t table, uint64_t index, uint64_t pte)
{
	memcpy(ram + table + index * 8, &pte, sizeof(pte));
}

/* Sv39 tables at the start of RAM map 0x40000000 to the page at RAM_BASE + 0x3000. */
static void map(uint64_t leaf)
{
	vcpu[0].vs.vsatp = SATP_SV39;
	put_entry(0, 1, PTE(0x80001000, V));
	put_entry(0x1000, 0, PTE(0x80002000, V));
	put_entry(0x2000, 0, leaf);
	ram[0x3008] = 1;
}

#define VIRTUAL UINT64_C(0x40000008)

static void test_walk(void **state)
{
	(void)state;
	map(PTE(0x80003000, V | R));
	EXPECT_LEGACY(0, 4, VIRTUAL);
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
	vcpu[0].hvip = 0;
	map(PTE(0x80003000, V | R | U));
	expect_fault(CAUSE_LOAD_PAGE_FAULT, VIRTUAL);
	vcpu[0].vs.vsstatus = SSTATUS_SUM;
	EXPECT_LEGACY(0, 4, VIRTUAL);
	map(PTE(0x80003000, V | X));
	vcpu[0].hvip = 0;
	expect_fault(CAUSE_LOAD_PAGE_FAULT, VIRTUAL);
	vcpu[0].vs.vsstatus = SSTATUS_MXR;
	EXPECT_LEGACY(0, 4, VIRTUAL);
}

static void test_walk_faults(void **state)
{
	static const uint64_t bad[] = { 0, R, V | W, V | W | X, V };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		map(PTE(0x80003000, bad[i]));
		expect_fault(CAUSE_LOAD_PAGE_FAULT, VIRTUAL);
	}
	map(PTE(0x80003000, V | R));
	expect_fault(CAUSE_LOAD_PAGE_FAULT, UINT64_C(1) << 38); /* not canonical */
	put_entry(0x1000, 0, PTE(0x80001000, V | R));		/* misaligned megapage */
	expect_fault(CAUSE_LOAD_PAGE_FAULT, VIRTUAL);
	put_entry(0x1000, 0, PTE(0x70000000, V)); /* a table where no RAM is */
	expect_fault(CAUSE_LOAD_ACCESS, VIRTUAL);
	for (uint64_t mode = 1; mode < 16; mode++) {
		vcpu[0].vs.vsatp = mode << 60 | RAM_BASE >> 12;
		if (mode < 8 || mode > 10)
			expect_fault(CAUSE_LOAD_PAGE_FAULT, VIRTUAL);
	}
}

/* A table that contains itself: the walk ends with the levels. */
static void test_walk_of_a_loop(void **state)
{
	(void)state;
	for (uint64_t mode = 8; mode <= 10; mode++) {
		vcpu[0].vs.vsatp = mode << 60 | RAM_BASE >> 12;
		for (uint64_t i = 0; i < 512; i++)
			put_entry(0, i, PTE(0x80000000, V));
		expect_fault(CAUSE_LOAD_PAGE_FAULT, VIRTUAL);
	}
}

static void test_walk_sizes(void **state)
{
	(void)state;
	map(PTE(0x80003000, V | R));
	put_entry(0x1000, 0, PTE(0x80000000, V | R)); /* megapage */
	ram[0x4008] = 1;
	EXPECT_LEGACY(0, 4, UINT64_C(0x40004008));
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
	vcpu[0].hvip = 0;
	put_entry(0, 2, PTE(0x80000000, V | R)); /* gigapage */
	EXPECT_LEGACY(0, 4, UINT64_C(0x80004008));
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
	vcpu[0].hvip = 0;
	put_entry(0x1000, 0, PTE(0x80002000, V));
	for (uint64_t i = 0; i < 16; i++) /* 64 KiB in one, marked so in its page number */
		put_entry(0x2000, i, PTE(0x80008000, V | R) | UINT64_C(1) << 63);
	EXPECT_LEGACY(0, 4, UINT64_C(0x40004008));
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
	vcpu[0].hvip = 0;
	put_entry(0x2000, 4, PTE(0x80004000, V | R) | UINT64_C(1) << 63);
	expect_fault(CAUSE_LOAD_PAGE_FAULT, UINT64_C(0x40004008));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_write, set_up),
		cmocka_unit_test_setup(test_write_across, set_up),
		cmocka_unit_test_setup(test_ranges, set_up),
		cmocka_unit_test_setup(test_read, set_up),
		cmocka_unit_test_setup(test_write_byte, set_up),
		cmocka_unit_test_setup(test_no_console, set_up),
		cmocka_unit_test_setup(test_legacy, set_up),
		cmocka_unit_test_setup(test_legacy_mask, set_up),
		cmocka_unit_test_setup(test_legacy_faults, set_up),
		cmocka_unit_test_setup(test_walk, set_up),
		cmocka_unit_test_setup(test_walk_faults, set_up),
		cmocka_unit_test_setup(test_walk_of_a_loop, set_up),
		cmocka_unit_test_setup(test_walk_sizes, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
