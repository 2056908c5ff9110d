/* SPDX-License-Identifier: MIT */
/* Transactions, one property at a time, and memory that runs out. */
#include "guest_pair.h"

/* ---- Transactions ---- */

static void test_rollback(void **state)
{
	(void)state;
	assert_int_equal(poke(&guest, RAM, 1), HATCH_OK);
	arena.fences = 0;
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	expect_fence(0, 2 * TIB);
	assert_int_equal(hatch_guest_begin(&guest), HATCH_EBUSY);
	assert_int_equal(poke(&guest, RAM, 2), HATCH_OK);
	arena.fences = 0;
	hatch_guest_rollback(&guest);
	expect_fence(RAM, PAGE);
	expect(&guest, RAM, 1);
	hatch_guest_rollback(&guest);
	/* Nothing became writable meanwhile: nothing is to be done. */
	arena.fences = 0;
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	assert_int_equal(arena.fences, 0);
	hatch_guest_rollback(&guest);
	assert_int_equal(arena.fences, 0);
}

static void test_commit(void **state)
{
	(void)state;
	add_small();
	hatch_guest_commit(&guest);
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	assert_int_equal(poke(&guest, SMALL, 1), HATCH_OK);
	assert_int_equal(poke(&guest, SMALL + PAGE, 2), HATCH_OK);
	hatch_guest_commit(&guest);
	hatch_guest_rollback(&guest);
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	assert_int_equal(poke(&guest, SMALL, 3), HATCH_OK);
	hatch_guest_rollback(&guest);
	expect(&guest, SMALL, 1);
	expect(&guest, SMALL + PAGE, 2);
	/* The last page of a commit is nobody else's: no copy. */
	arena.fail_after = 0;
	assert_int_equal(poke(&guest, SMALL, 4), HATCH_OK);
}

/* A page is given the guest between two transactions: the second one sees what is written to it. */
static void test_mapped_between(void **state)
{
	void *page;

	(void)state;
	assert_int_equal(hatch_guest_add_lazy(&guest, hatch_gpa_of(LAZY), 4 * PAGE), HATCH_OK);
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	hatch_guest_rollback(&guest);
	page = map_lazy(LAZY, 0);
	assert_false(look(&guest, LAZY).cow);
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	assert_int_equal(poke(&guest, LAZY, 1), HATCH_OK);
	hatch_guest_rollback(&guest);
	expect(&guest, LAZY, 0);
	assert_int_equal(unmap(&guest.stage, LAZY, PAGE), HATCH_OK);
	arena_free(&arena, page, PAGE);
}

/* Mapped on demand, written, unmapped and mapped anew: the newest page stays, as it came. */
static void test_mapped_within(void **state)
{
	void *first, *second;

	(void)state;
	assert_int_equal(hatch_guest_add_lazy(&guest, hatch_gpa_of(LAZY), 4 * PAGE), HATCH_OK);
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	first = map_lazy(LAZY, 0);
	assert_int_equal(poke(&guest, LAZY, 1), HATCH_OK);
	assert_int_equal(unmap(&guest.stage, LAZY, PAGE), HATCH_OK); /* and the table */
	arena_free(&arena, first, PAGE);
	second = map_lazy(LAZY, 0x11);
	expect(&guest, LAZY, 0x1111111111111111);
	assert_int_equal(poke(&guest, LAZY, 2), HATCH_OK);
	hatch_guest_rollback(&guest);
	expect(&guest, LAZY, 0x1111111111111111);
	assert_int_equal(unmap(&guest.stage, LAZY, PAGE), HATCH_OK);
	arena_free(&arena, second, PAGE);
}

/* A guest may have tables freed until their count is what it was: nothing believes it is now. */
static void test_count_that_wraps(void **state)
{
	void *first, *second;
	uint32_t freed;

	(void)state;
	assert_int_equal(hatch_guest_add_lazy(&guest, hatch_gpa_of(LAZY), 4 * PAGE), HATCH_OK);
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	first = map_lazy(LAZY, 0);
	assert_int_equal(poke(&guest, LAZY, 1), HATCH_OK);
	make_clone(); /* it keeps the record of the page alive */
	freed = guest.stage.freed;
	assert_int_equal(unmap(&guest.stage, LAZY, PAGE), HATCH_OK);
	assert_int_equal(guest.stage.freed, freed + 1);
	guest.stage.freed = freed - 1; /* many changes later */
	second = map_lazy(LAZY, 0);
	assert_int_equal(unmap(&guest.stage, LAZY, PAGE), HATCH_OK);
	assert_int_equal(guest.stage.freed, freed);
	arena_free(&arena, second, PAGE);
	second = map_lazy(LAZY, 0);
	assert_int_equal(poke(&guest, LAZY, 2), HATCH_OK);
	expect(&clone, LAZY, 1);
	hatch_guest_rollback(&guest);
	expect(&guest, LAZY, 0);
	assert_int_equal(unmap(&guest.stage, LAZY, PAGE), HATCH_OK);
	assert_int_equal(unmap(&clone.stage, LAZY, PAGE), HATCH_OK);
	arena_free(&arena, first, PAGE);
	arena_free(&arena, second, PAGE);
}

static void test_rights_stay(void **state)
{
	(void)state;
	add_small();
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	assert_int_equal(poke(&guest, SMALL, 1), HATCH_OK);
	assert_int_equal(protect(&guest.stage, SMALL, PAGE, 1), HATCH_OK);
	hatch_guest_rollback(&guest);
	expect(&guest, SMALL, 0);
	assert_int_equal(look(&guest, SMALL).prot, 1);
	assert_false(look(&guest, SMALL).cow);
}

/* The page is copied twice, since the clone shares the first copy. */
static void test_clone_within(void **state)
{
	(void)state;
	assert_int_equal(poke(&guest, RAM, 1), HATCH_OK);
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	assert_int_equal(poke(&guest, RAM, 2), HATCH_OK);
	make_clone();
	assert_int_equal(poke(&guest, RAM, 3), HATCH_OK);
	assert_int_equal(hatch_guest_begin(&clone), HATCH_OK);
	assert_int_equal(poke(&clone, RAM, 4), HATCH_OK);
	hatch_guest_rollback(&guest);
	expect(&guest, RAM, 1);
	expect(&clone, RAM, 4);
	hatch_guest_rollback(&clone);
	expect(&clone, RAM, 2);
}

/* Many pages: the chunks that a rollback empties serve the next try, a commit gives them back. */
static void test_chunks(void **state)
{
	size_t before, used;

	(void)state;
	assert_int_equal(poke(&guest, RAM, 1), HATCH_OK);
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	before = arena.bytes;
	for (int round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < 200; i++)
			assert_int_equal(poke(&guest, RAM + i * PAGE, i + 2), HATCH_OK);
		used = arena.bytes;
		assert_int_equal(used, before + 4 * CHUNK + PAGE);
		arena.fences = 0;
		hatch_guest_rollback(&guest);
		assert_int_equal(arena.fences, 1);
		expect(&guest, RAM, 1);
		expect(&guest, RAM + 199 * PAGE, 0);
		assert_int_equal(arena.bytes, used);
		assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	}
	hatch_guest_commit(&guest);
	assert_int_equal(arena.bytes, before + CHUNK + PAGE);
}

/* ---- Memory that runs out ---- */

static int do_clone(void)
{
	return hatch_guest_clone(&clone, &guest);
}

static int do_begin(void)
{
	return hatch_guest_begin(&guest);
}

static int do_store(void)
{
	return poke(&guest, RAM + 5 * PAGE, 5);
}

/* Fails each allocation in turn; nothing stays taken but what `keeps` says, and all goes on. */
static void run_out(int (*change)(void), int need, size_t keeps)
{
	size_t before = arena.bytes;
	int allowed;

	for (allowed = 0; allowed < 20; allowed++) {
		arena.fail_after = allowed;
		if (change() == HATCH_OK)
			break;
		arena.fail_after = NEVER;
		assert_true(arena.bytes <= before + keeps);
		expect(&guest, RAM + 5 * PAGE, 1);
	}
	arena.fail_after = NEVER;
	assert_int_equal(allowed, need);
}

static void test_no_memory(void **state)
{
	(void)state;
	add_small();
	assert_int_equal(poke(&guest, RAM + 5 * PAGE, 1), HATCH_OK);
	/* The family, which stays; then the root and two tables. */
	run_out(do_clone, 3, PAGE);
	expect(&clone, RAM + 5 * PAGE, 1);
	/* A table for the split and a chunk; the split stays when the chunk cannot be had. */
	run_out(do_store, 2, PAGE);
	expect(&clone, RAM + 5 * PAGE, 1);
	assert_int_equal(poke(&clone, RAM, 9), HATCH_OK);
	expect(&guest, RAM, 0);
}

static void test_no_memory_for_transaction(void **state)
{
	(void)state;
	assert_int_equal(poke(&guest, RAM + 5 * PAGE, 1), HATCH_OK);
	run_out(do_begin, 1, 0);
	run_out(do_store, 2, PAGE);
	expect(&guest, RAM + 5 * PAGE, 5);
	hatch_guest_rollback(&guest);
	expect(&guest, RAM + 5 * PAGE, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rollback, setup, teardown),
		cmocka_unit_test_setup_teardown(test_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mapped_between, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mapped_within, setup, teardown),
		cmocka_unit_test_setup_teardown(test_count_that_wraps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rights_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clone_within, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chunks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory_for_transaction, setup, teardown),
	};

	return cmocka_run_group_tests_name("guest_undo", tests, NULL, NULL);
}
