/* SPDX-License-Identifier: MIT */
/*
 * G-stage tables, one property at a time.
 */
#include "gstage_arena.h"

static void test_init(void **state)
{
	struct hatch_gstage stage;
	uint64_t hgatp;

	(void)state;
	for (int mode = HATCH_SV39X4; mode <= HATCH_SV48X4; mode++) {
		begin(&stage, mode);
		hgatp = hatch_gstage_hgatp(&stage);
		assert_int_equal((uintptr_t)stage.root % (16 * KIB), 0);
		assert_int_equal(stage.pages, 4);
		assert_int_equal(arena.bytes, 16 * KIB);
		assert_int_equal(hgatp >> 60, mode);
		assert_int_equal(hgatp >> 44 & 0x3fff, 0x1234);
		assert_int_equal((hgatp & HGATP_PPN_MASK) << 12,
				 arena_physical(&arena, stage.root).addr);
		end(&stage);
	}
	assert_int_equal(hatch_gstage_init(&stage, &arena.memory, 10, 0), HATCH_EINVAL);
	assert_int_equal(hatch_gstage_init(&stage, &arena.memory, 0, 0), HATCH_EINVAL);
	assert_int_equal(hatch_gstage_init(&stage, &arena.memory, 8, 0x4000), HATCH_EINVAL);
	arena.fail_after = 0;
	assert_int_equal(hatch_gstage_init(&stage, &arena.memory, 8, 0), HATCH_ENOMEM);
	assert_int_equal(arena.bytes, 0);
}

static void test_leaf_sizes(void **state)
{
	struct hatch_gstage stage;
	uint64_t base = 2 * GIB - 2 * MIB - 4 * KIB, size = GIB + 4 * MIB + 8 * KIB;
	uint64_t hpa = base + 32 * GIB;

	(void)state;
	for (int mode = HATCH_SV39X4; mode <= HATCH_SV48X4; mode++) {
		begin(&stage, mode);
		assert_int_equal(map(&stage, base, hpa, size, HATCH_PROT_ALL), HATCH_OK);
		expect_leaf(&stage, base + 5, base, 4 * KIB, hpa, 7);
		expect_leaf(&stage, 2 * GIB - 1, 2 * GIB - 2 * MIB, 2 * MIB, 34 * GIB - 2 * MIB, 7);
		expect_leaf(&stage, 3 * GIB - 1, 2 * GIB, GIB, 34 * GIB, 7);
		expect_leaf(&stage, 3 * GIB, 3 * GIB, 2 * MIB, 35 * GIB, 7);
		expect_leaf(&stage, base + size - 1, base + size - 4 * KIB, 4 * KIB,
			    hpa + size - 4 * KIB, 7);
		expect_nothing(&stage, base - 1);
		expect_nothing(&stage, base + size);
		/* The root, level 1 and 0 at each end, and for Sv48x4 one level more. */
		assert_int_equal(stage.pages, 4 + 4 + (mode == HATCH_SV48X4));
		check_tables(&stage);
		end(&stage);
	}
}

static void test_leaf_of_512_gib(void **state)
{
	struct hatch_gstage stage;

	(void)state;
	begin(&stage, HATCH_SV48X4);
	assert_int_equal(map(&stage, 512 * TIB, TIB, 512 * GIB, HATCH_PROT_READ), HATCH_OK);
	expect_leaf(&stage, 512 * TIB + GIB, 512 * TIB, 512 * GIB, TIB, HATCH_PROT_READ);
	assert_int_equal(stage.pages, 4);
	end(&stage);
	begin(&stage, HATCH_SV39X4);
	assert_int_equal(map(&stage, 512 * GIB, TIB, 512 * GIB, HATCH_PROT_READ), HATCH_OK);
	expect_leaf(&stage, 513 * GIB, 513 * GIB, GIB, TIB + GIB, HATCH_PROT_READ);
	end(&stage);
}

/* A host address that is less aligned than the guest's takes smaller leaves. */
static void test_host_alignment(void **state)
{
	struct hatch_gstage stage;

	(void)state;
	begin(&stage, HATCH_SV39X4);
	assert_int_equal(map(&stage, GIB, 4 * GIB + 2 * MIB, GIB, HATCH_PROT_ALL), HATCH_OK);
	expect_leaf(&stage, GIB, GIB, 2 * MIB, 4 * GIB + 2 * MIB, 7);
	assert_int_equal(map(&stage, 4 * MIB, 8 * KIB, 2 * MIB, HATCH_PROT_ALL), HATCH_OK);
	expect_leaf(&stage, 4 * MIB, 4 * MIB, 4 * KIB, 8 * KIB, 7);
	end(&stage);
}

static void test_rights(void **state)
{
	static const unsigned int refused[] = { 0, 2, 6, 8, 9, 0x80000001 };
	static const unsigned int good[] = { 1, 3, 4, 5, 7 };
	struct hatch_gstage stage;

	(void)state;
	begin(&stage, HATCH_SV39X4);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		uint64_t gpa = i * 4 * KIB;

		assert_int_equal(map(&stage, gpa, GIB, 4 * KIB, good[i]), HATCH_OK);
		expect_leaf(&stage, gpa, gpa, 4 * KIB, GIB, good[i]);
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		assert_int_equal(map(&stage, MIB, GIB, 4 * KIB, refused[i]), HATCH_EINVAL);
		assert_int_equal(protect(&stage, 0, 4 * KIB, refused[i]), HATCH_EINVAL);
	}
	expect_nothing(&stage, MIB);
	expect_leaf(&stage, 0, 0, 4 * KIB, GIB, 1);
	end(&stage);
}

static void test_bad_ranges(void **state)
{
	static const struct {
		uint64_t gpa, size;
	} bad[] = {
		{ 0, 0 },
		{ 1, 4096 },
		{ 4096, 1 },
		{ 2048, 4096 },
		{ 4096, 4095 },
		{ (uint64_t)2 << 40, 4096 },
		{ ((uint64_t)2 << 40) - 4096, 8192 },
		{ UINT64_MAX - 4095, 4096 },
		{ UINT64_MAX - 4095, 8192 },
		{ 4096, UINT64_MAX - 4095 },
	};
	struct hatch_gstage stage;

	(void)state;
	begin(&stage, HATCH_SV39X4);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint64_t gpa = bad[i].gpa, size = bad[i].size;

		assert_int_equal(map(&stage, gpa, 0, size, 7), HATCH_EINVAL);
		assert_int_equal(unmap(&stage, gpa, size), HATCH_EINVAL);
		assert_int_equal(protect(&stage, gpa, size, 7), HATCH_EINVAL);
		assert_int_equal(arena.fences, 0);
	}
	assert_int_equal(map(&stage, 0, 4097, 4096, 7), HATCH_EINVAL);
	assert_int_equal(map(&stage, 0, (uint64_t)1 << 56, 4096, 7), HATCH_EINVAL);
	assert_int_equal(map(&stage, 0, ((uint64_t)1 << 56) - 4096, 8192, 7), HATCH_EINVAL);
	expect_nothing(&stage, 2 * TIB);
	expect_nothing(&stage, UINT64_MAX);
	assert_int_equal(stage.pages, 4);
	end(&stage);
}

/* The whole address space, and its very last page: no arithmetic may wrap. */
static void test_whole_space(void **state)
{
	struct hatch_gstage stage;

	(void)state;
	for (int mode = HATCH_SV39X4; mode <= HATCH_SV48X4; mode++) {
		uint64_t limit = mode == HATCH_SV48X4 ? (uint64_t)1 << 50 : (uint64_t)1 << 41;
		uint64_t leaf = mode == HATCH_SV48X4 ? 512 * GIB : GIB, last = limit - 4 * KIB;

		begin(&stage, mode);
		assert_int_equal(map(&stage, 0, 0, limit, 7), HATCH_OK);
		expect_fence(0, limit);
		expect_leaf(&stage, limit - 1, limit - leaf, leaf, limit - leaf, 7);
		assert_int_equal(protect(&stage, last, 4 * KIB, 1), HATCH_OK);
		expect_leaf(&stage, last, last, 4 * KIB, last, 1);
		expect_fence(limit - leaf, leaf);
		assert_int_equal(unmap(&stage, 0, limit), HATCH_OK);
		expect_fence(0, limit);
		assert_int_equal(stage.pages, 4);
		end(&stage);
	}
}

static void test_overlap(void **state)
{
	struct hatch_gstage stage;

	(void)state;
	begin(&stage, HATCH_SV39X4);
	assert_int_equal(map(&stage, GIB + 4 * MIB, GIB, 4 * KIB, 7), HATCH_OK);
	assert_int_equal(map(&stage, GIB, 0, 4 * MIB, 7), HATCH_OK);
	assert_int_equal(map(&stage, GIB - 2 * MIB, 0, 2 * MIB + 4 * KIB, 7), HATCH_EOVERLAP);
	assert_int_equal(map(&stage, 0, 0, 8 * GIB, 7), HATCH_EOVERLAP);
	assert_int_equal(map(&stage, GIB + 4 * KIB, 0, 4 * KIB, 7), HATCH_EOVERLAP);
	assert_int_equal(map(&stage, GIB + 4 * MIB, GIB, 4 * KIB, 7), HATCH_EOVERLAP);
	assert_int_equal(arena.fences, 0);
	expect_nothing(&stage, 0);
	expect_nothing(&stage, GIB - 1);
	expect_nothing(&stage, GIB + 4 * MIB + 4 * KIB);
	assert_int_equal(map(&stage, GIB + 4 * MIB + 4 * KIB, 0, 4 * KIB, 7), HATCH_OK);
	check_tables(&stage);
	end(&stage);
}

static void test_unmap_splits(void **state)
{
	struct hatch_gstage stage;
	uint64_t hole = GIB + 6 * MIB + 12 * KIB;

	(void)state;
	begin(&stage, HATCH_SV39X4);
	assert_int_equal(map(&stage, GIB, 8 * GIB, GIB, 5), HATCH_OK);
	assert_int_equal(stage.pages, 4);
	assert_int_equal(unmap(&stage, hole, 4 * KIB), HATCH_OK);
	expect_fence(GIB, GIB);
	expect_nothing(&stage, hole);
	expect_leaf(&stage, hole - 1, hole - 4 * KIB, 4 * KIB, hole - 4 * KIB + 7 * GIB, 5);
	expect_leaf(&stage, hole + 4 * KIB, hole + 4 * KIB, 4 * KIB, hole + 4 * KIB + 7 * GIB, 5);
	expect_leaf(&stage, GIB, GIB, 2 * MIB, 8 * GIB, 5);
	assert_int_equal(stage.pages, 6);
	assert_int_equal(unmap(&stage, GIB + 6 * MIB, 2 * MIB), HATCH_OK);
	assert_int_equal(arena.bytes_at_fence, 6 * 4 * KIB);
	assert_int_equal(stage.pages, 5);
	expect_fence(GIB + 6 * MIB, 2 * MIB);
	assert_int_equal(unmap(&stage, GIB + 6 * MIB, 2 * MIB), HATCH_OK);
	assert_int_equal(arena.fences, 0);
	assert_int_equal(unmap(&stage, 0, 4 * GIB), HATCH_OK);
	expect_fence(GIB, GIB);
	assert_int_equal(stage.pages, 4);
	end(&stage);
}

static void test_protect(void **state)
{
	struct hatch_gstage stage;

	(void)state;
	begin(&stage, HATCH_SV48X4);
	assert_int_equal(map(&stage, 4 * MIB, 8 * MIB, 4 * MIB, 7), HATCH_OK);
	assert_int_equal(protect(&stage, 4 * MIB, 4 * MIB + 4 * KIB, 1), HATCH_EFAULT);
	assert_int_equal(protect(&stage, 0, 8 * MIB, 1), HATCH_EFAULT);
	assert_int_equal(arena.fences, 0);
	/* The rights that it has: neither a split nor a fence. */
	assert_int_equal(protect(&stage, 4 * MIB + 4 * KIB, 4 * KIB, 7), HATCH_OK);
	assert_int_equal(arena.fences, 0);
	assert_int_equal(protect(&stage, 4 * MIB, 2 * MIB, 5), HATCH_OK);
	expect_fence(4 * MIB, 2 * MIB);
	expect_leaf(&stage, 4 * MIB, 4 * MIB, 2 * MIB, 8 * MIB, 5);
	expect_leaf(&stage, 6 * MIB, 6 * MIB, 2 * MIB, 10 * MIB, 7);
	assert_int_equal(protect(&stage, 6 * MIB - 4 * KIB, 8 * KIB, 1), HATCH_OK);
	expect_fence(4 * MIB, 4 * MIB);
	expect_leaf(&stage, 6 * MIB - 8 * KIB, 6 * MIB - 8 * KIB, 4 * KIB, 10 * MIB - 8 * KIB, 5);
	expect_leaf(&stage, 6 * MIB - 4 * KIB, 6 * MIB - 4 * KIB, 4 * KIB, 10 * MIB - 4 * KIB, 1);
	expect_leaf(&stage, 6 * MIB + 4 * KIB, 6 * MIB + 4 * KIB, 4 * KIB, 10 * MIB + 4 * KIB, 7);
	assert_int_equal(protect(&stage, 6 * MIB, 4 * KIB, 7), HATCH_OK);
	expect_fence(6 * MIB, 4 * KIB);
	check_tables(&stage);
	end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_leaf_sizes),
		cmocka_unit_test(test_leaf_of_512_gib),
		cmocka_unit_test(test_host_alignment),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_bad_ranges),
		cmocka_unit_test(test_whole_space),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_unmap_splits),
		cmocka_unit_test(test_protect),
	};

	return cmocka_run_group_tests_name("gstage", tests, NULL, NULL);
}
