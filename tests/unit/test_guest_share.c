/* SPDX-License-Identifier: MIT */
/* Clones, one property at a time: what is shared, with whom, and what it costs. */
#include "guest_pair.h"

static uint8_t lent[2 * PAGE] __attribute__((aligned(PAGE)));

/* ---- Clones ---- */

static void test_clone_shares(void **state)
{
	size_t before = arena.bytes;

	(void)state;
	assert_int_equal(poke(&guest, RAM + 8, 1), HATCH_OK);
	make_clone();
	/* Tables, and one page for the family. */
	assert_int_equal(arena.bytes, before + ROOT_AND_TABLE + PAGE);
	assert_int_equal(hatch_guest_private_pages(&clone), 5);
	expect(&clone, RAM + 8, 1);
	assert_int_equal(look(&clone, RAM).size, 2 * MIB);
	assert_int_equal(look(&clone, RAM).hpa.addr, look(&guest, RAM).hpa.addr);
	assert_true(look(&clone, RAM).cow && look(&guest, RAM).cow);
	assert_int_equal(look(&clone, RAM).prot, HATCH_PROT_ALL);

	assert_int_equal(poke(&clone, RAM + 8, 2), HATCH_OK);
	expect(&guest, RAM + 8, 1);
	expect(&clone, RAM + 8, 2);
	assert_true(look(&clone, RAM).pooled && !look(&clone, RAM).cow);
	assert_int_equal(look(&clone, RAM).size, PAGE);
	assert_int_equal(look(&clone, RAM + 2 * MIB).size, 2 * MIB);
	/* One more table, one page. */
	assert_int_equal(hatch_guest_private_pages(&clone), 7);
	assert_int_equal(arena.bytes, before + ROOT_AND_TABLE + 2 * PAGE + CHUNK);
}

static void test_clone_of_much(void **state)
{
	(void)state;
	assert_int_equal(hatch_guest_add_ram(&guest, hatch_gpa_of(RAM + 4 * MIB), 60 * MIB), 0);
	make_clone();
	assert_true(hatch_guest_private_pages(&clone) <= 8);
	assert_int_equal(look(&clone, RAM + 62 * MIB).size, 2 * MIB);
}

static void test_clone_invalid(void **state)
{
	struct hatch_guest ended = { .regions = 0 };

	(void)state;
	assert_int_equal(hatch_guest_clone(NULL, &guest), HATCH_EINVAL);
	assert_int_equal(hatch_guest_clone(&clone, NULL), HATCH_EINVAL);
	assert_int_equal(hatch_guest_clone(&guest, &guest), HATCH_EINVAL);
	assert_int_equal(hatch_guest_clone(&clone, &ended), HATCH_EINVAL);
	assert_int_equal(hatch_guest_begin(NULL), HATCH_EINVAL);
	assert_int_equal(hatch_guest_begin(&ended), HATCH_EINVAL);
	assert_null(guest.family);
}

/* Whoever is left writes to all of a leaf again, without a copy. */
static void expect_alone(struct hatch_guest *g)
{
	size_t before = arena.bytes;

	assert_int_equal(unshare(g, RAM + 2 * MIB + 0x1234), HATCH_OK);
	expect_fence(RAM + 2 * MIB, 2 * MIB);
	assert_int_equal(look(g, RAM + 2 * MIB).size, 2 * MIB);
	assert_int_equal(unshare(g, RAM + 2 * MIB), HATCH_ENOENT);
	assert_int_equal(unshare(g, RAM), HATCH_OK);
	expect_fence(RAM, PAGE);
	assert_int_equal(arena.bytes, before);
}

static void test_last_of_family(void **state)
{
	(void)state;
	make_clone();
	assert_int_equal(poke(&guest, RAM, 1), HATCH_OK);
	assert_int_equal(poke(&clone, RAM, 2), HATCH_OK);
	assert_int_equal(hatch_guest_begin(&clone), HATCH_OK);
	hatch_guest_rollback(&clone);
	hatch_guest_fini(&guest);
	expect_alone(&clone);
	expect(&clone, RAM, 2);
}

static void test_page_of_two_clones(void **state)
{
	struct hatch_guest second;

	(void)state;
	make_clone();
	assert_int_equal(poke(&clone, RAM, 2), HATCH_OK);
	assert_int_equal(hatch_guest_clone(&second, &clone), HATCH_OK);
	assert_int_equal(look(&second, RAM).hpa.addr, look(&clone, RAM).hpa.addr);
	assert_int_equal(hatch_guest_private_pages(&second), 6);
	arena.fences = 0;
	assert_int_equal(poke(&second, RAM, 3), HATCH_OK);
	expect_fence(RAM, PAGE);
	expect(&clone, RAM, 2);
	/* The copy left the clone alone with its page: no second one. */
	assert_int_equal(hatch_guest_private_pages(&clone), 7);
	arena.fail_after = 0;
	assert_int_equal(poke(&clone, RAM, 4), HATCH_OK);
	arena.fail_after = NEVER;
	expect(&second, RAM, 3);
	hatch_guest_fini(&second);
}

static void test_lent(void **state)
{
	(void)state;
	assert_int_equal(hatch_guest_lend(&guest, hatch_gpa_of(LENT), lent, sizeof(lent), 7), 0);
	make_clone();
	assert_false(look(&clone, LENT).cow || look(&guest, LENT).cow);
	assert_int_equal(poke(&clone, LENT, 7), HATCH_OK);
	expect(&guest, LENT, 7);
	/* Rights that come back come at once. */
	assert_int_equal(protect(&guest.stage, LENT, PAGE, 1), HATCH_OK);
	assert_int_equal(protect(&guest.stage, LENT, PAGE, 3), HATCH_OK);
	assert_false(look(&guest, LENT).cow);
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	assert_int_equal(poke(&guest, LENT, 8), HATCH_OK);
	hatch_guest_rollback(&guest);
	expect(&clone, LENT, 8);
}

/* What is mapped outside of all regions, as a device is, stays shared. */
static void test_outside(void **state)
{
	uint64_t hpa = arena_physical(&arena, lent).addr;

	(void)state;
	assert_int_equal(map(&guest.stage, LENT, hpa, PAGE, 3), HATCH_OK);
	make_clone();
	assert_false(look(&clone, LENT).cow || look(&guest, LENT).cow);
	assert_int_equal(look(&clone, LENT).hpa.addr, hpa);
}

static void test_unshare_errors(void **state)
{
	(void)state;
	assert_int_equal(unshare(&guest, RAM), HATCH_ENOENT);
	assert_int_equal(unshare(&guest, 0), HATCH_EFAULT);
	assert_int_equal(protect(&guest.stage, RAM, PAGE, 5), HATCH_OK);
	make_clone();
	assert_int_equal(unshare(&clone, RAM), HATCH_ENOENT);
	assert_int_equal(poke(&clone, RAM, 1), HATCH_EFAULT);
	assert_int_equal(unshare(&clone, 0), HATCH_EFAULT);
	assert_int_equal(unshare(&clone, 2 * TIB), HATCH_EFAULT);
	assert_int_equal(unshare(&clone, UINT64_MAX), HATCH_EFAULT);
	assert_int_equal(unshare(&clone, RAM + 4 * MIB - 1), HATCH_OK);
	assert_int_equal(arena.fenced, RAM + 4 * MIB - PAGE);
	assert_int_equal(arena.fenced_size, PAGE);
}

/* ---- Changes of mappings ---- */

static void test_protect(void **state)
{
	(void)state;
	assert_int_equal(protect(&guest.stage, RAM, PAGE, 1), HATCH_OK);
	make_clone();
	/* W for a page that was read-only when it began to be shared. */
	assert_int_equal(protect(&clone.stage, RAM, PAGE, 3), HATCH_OK);
	assert_true(look(&clone, RAM).cow);
	assert_int_equal(look(&clone, RAM).prot, 3);
	assert_int_equal(poke(&clone, RAM, 1), HATCH_OK);
	expect(&guest, RAM, 0);
	/* The pool's page stays one. */
	assert_int_equal(protect(&clone.stage, RAM, PAGE, 5), HATCH_OK);
	assert_true(look(&clone, RAM).pooled);
	assert_int_equal(protect(&clone.stage, RAM, PAGE, 7), HATCH_OK);
	arena.fail_after = 0;
	assert_int_equal(poke(&clone, RAM, 2), HATCH_OK);
	arena.fail_after = NEVER;
	/* Rights that a leaf has, or waits for: neither a split nor a fence. */
	assert_int_equal(protect(&clone.stage, RAM + 2 * MIB, PAGE, 7), HATCH_OK);
	assert_int_equal(arena.fences, 0);
	assert_int_equal(look(&clone, RAM + 2 * MIB).size, 2 * MIB);
	assert_int_equal(protect(&clone.stage, RAM + 2 * MIB, 2 * MIB, 3), HATCH_OK);
	assert_true(look(&clone, RAM + 2 * MIB).cow);
}

static void test_unmap(void **state)
{
	size_t before;

	(void)state;
	make_clone();
	before = arena.bytes;
	assert_int_equal(poke(&clone, RAM, 1), HATCH_OK);
	assert_int_equal(unmap(&clone.stage, RAM, 2 * MIB), HATCH_OK);
	/* The table is gone, and the one chunk that is kept is empty. */
	assert_int_equal(arena.bytes, before + CHUNK);
	assert_int_equal(hatch_guest_private_pages(&clone), 5);
	assert_int_equal(poke(&guest, RAM, 2), HATCH_OK);
	/* RAM of the family that is mapped again may still be somebody else's. */
	assert_int_equal(unmap(&guest.stage, RAM + 2 * MIB, PAGE), HATCH_OK);
	assert_int_equal(
		map(&guest.stage, RAM + 2 * MIB, look(&clone, RAM + 2 * MIB).hpa.addr, PAGE, 7),
		HATCH_OK);
	assert_true(look(&guest, RAM + 2 * MIB).cow);
}

/* A family counts the owners of a thousand blocks of RAM, not of more. */
static void test_too_many_blocks(void **state)
{
	static struct hatch_guest member[80], child[80];
	int error = HATCH_OK, n;

	(void)state;
	for (n = 0; n < 80 && !error; n++) {
		assert_int_equal(hatch_guest_clone(&member[n], &guest), HATCH_OK);
		for (uint64_t i = 1; i < HATCH_GUEST_REGIONS; i++)
			assert_int_equal(
				hatch_guest_add_ram(&member[n], hatch_gpa_of(i * MIB), PAGE),
				HATCH_OK);
		error = hatch_guest_clone(&child[n], &member[n]);
	}
	assert_int_equal(error, HATCH_ENOMEM);
	assert_int_equal(n, 67); /* 66 * 15 + 1 of them fit into 1,000 */
	expect(&member[66], 15 * MIB, 0);
	while (n--) {
		hatch_guest_fini(&member[n]);
		hatch_guest_fini(&child[n]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_clone_shares, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clone_of_much, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clone_invalid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_of_family, setup, teardown),
		cmocka_unit_test_setup_teardown(test_page_of_two_clones, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unshare_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_protect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unmap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_blocks, setup, teardown),
	};

	return cmocka_run_group_tests_name("guest_share", tests, NULL, NULL);
}
