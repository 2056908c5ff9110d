/* SPDX-License-Identifier: MIT */
/* RAM on demand: pages come when touched, never more than the limit, and all go home. */
#include "gstage_arena.h"

#include <hatch/guest.h>
#include <hatch/handlers/demand.h>

#define BASE  0x80000000ULL
#define PIECE (4 * KIB)

static struct hatch_guest guest;
static struct hatch_vcpu vcpu;
static struct hatch_cont k;
static struct hatch_demand demand;

static int setup(void **state)
{
	(void)state;
	guest = (struct hatch_guest){ .regions = 0 };
	vcpu.guest = &guest;
	begin(&guest.stage, HATCH_SV39X4);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hatch_demand_fini(&demand);
	assert_int_equal(demand.used, 0);
	hatch_guest_fini(&guest);
	end(&guest.stage);
	return 0;
}

static enum hatch_verdict touch(uint64_t gpa)
{
	struct hatch_event ev = { .kind = HATCH_PAGE, .page.gpa = hatch_gpa_of(gpa) };

	k = (struct hatch_cont){ .vcpu = &vcpu };
	return demand.clause.handler(demand.clause.arg, &ev, &k);
}

static void expect_mapped(uint64_t gpa, bool mapped)
{
	struct hatch_mapping m;

	assert_int_equal(hatch_gstage_lookup(&guest.stage, hatch_gpa_of(gpa), &m),
			 mapped ? 0 : HATCH_EFAULT);
	if (mapped)
		assert_int_equal(m.prot, HATCH_PROT_ALL);
}

static void test_first_touch(void **state)
{
	(void)state;
	assert_int_equal(hatch_demand_init(&demand, &guest, hatch_gpa_of(BASE), MIB, PIECE, MIB),
			 0);
	assert_non_null(hatch_guest_region(&guest, hatch_gpa_of(BASE + MIB - 1)));
	expect_mapped(BASE, false);
	assert_int_equal(touch(BASE + 0x1234), HATCH_RETRY);
	expect_mapped(BASE + 0x1fff, true);
	expect_mapped(BASE + 0x0fff, false);
	expect_mapped(BASE + 0x2000, false);
	assert_int_equal(demand.used, PIECE);
}

static void test_large_pieces(void **state)
{
	(void)state;
	assert_int_equal(
		hatch_demand_init(&demand, &guest, hatch_gpa_of(BASE), 4 * MIB, 2 * MIB, 4 * MIB),
		0);
	assert_int_equal(touch(BASE + 3 * MIB), HATCH_RETRY);
	expect_mapped(BASE + 2 * MIB, true);
	expect_mapped(BASE + 4 * MIB - 1, true);
	expect_mapped(BASE, false);
}

/* A right that somebody took away is not this clause's to give back. */
static void test_passes_rights(void **state)
{
	(void)state;
	assert_int_equal(hatch_demand_init(&demand, &guest, hatch_gpa_of(BASE), MIB, PIECE, MIB),
			 0);
	assert_int_equal(touch(BASE), HATCH_RETRY);
	assert_int_equal(
		hatch_gstage_protect(&guest.stage, hatch_gpa_of(BASE), PIECE, HATCH_PROT_READ), 0);
	assert_int_equal(touch(BASE), HATCH_PASS);
	assert_int_equal(demand.used, PIECE);
}

static void test_limit(void **state)
{
	(void)state;
	assert_int_equal(
		hatch_demand_init(&demand, &guest, hatch_gpa_of(BASE), MIB, PIECE, 3 * PIECE - 1),
		0);
	assert_int_equal(touch(BASE), HATCH_RETRY);
	assert_int_equal(touch(BASE + PIECE), HATCH_RETRY);
	assert_int_equal(touch(BASE + 2 * PIECE), HATCH_UNWIND);
	assert_int_equal(k.status, HATCH_ENOMEM);
	expect_mapped(BASE + 2 * PIECE, false);
	demand.limit += 1; /* more is allowed: the same touch goes on */
	assert_int_equal(touch(BASE + 2 * PIECE), HATCH_RETRY);
}

/* At every allocation that can fail: the guest stops, nothing is lost. */
static void test_memory_runs_out(void **state)
{
	(void)state;
	assert_int_equal(hatch_demand_init(&demand, &guest, hatch_gpa_of(BASE), MIB, PIECE, MIB),
			 0);
	for (int left = 0; left < 3; left++) {
		size_t before = arena.bytes;

		arena.fail_after = left;
		assert_int_equal(touch(BASE), HATCH_UNWIND);
		assert_int_equal(k.status, HATCH_ENOMEM);
		assert_int_equal(arena.bytes, before);
		assert_int_equal(demand.used, 0);
	}
	arena.fail_after = NEVER;
	assert_int_equal(touch(BASE), HATCH_RETRY);
}

static void test_refused(void **state)
{
	struct hatch_demand other;

	(void)state;
	assert_int_equal(hatch_demand_init(&demand, &guest, hatch_gpa_of(BASE), MIB, PIECE, MIB),
			 0);

	assert_int_equal(hatch_demand_init(&other, &guest, hatch_gpa_of(BASE), MIB, PIECE, MIB),
			 HATCH_EOVERLAP);
	assert_int_equal(hatch_demand_init(&other, &guest, hatch_gpa_of(0), MIB, 8 * KIB, MIB),
			 HATCH_EINVAL);
	assert_int_equal(
		hatch_demand_init(&other, &guest, hatch_gpa_of(MIB), 2 * MIB, 2 * MIB, 2 * MIB),
		HATCH_EINVAL);
	assert_int_equal(hatch_demand_init(&other, &guest, hatch_gpa_of(0), PIECE + 1, PIECE, MIB),
			 HATCH_EINVAL);
}

/* ---- Guests that share memory ---- */

static struct hatch_guest clone;

/* From now on this one touches. */
static void become(struct hatch_guest *g)
{
	vcpu.guest = g;
}

static void poke(struct hatch_guest *g, uint64_t gpa, uint64_t value)
{
	assert_int_equal(hatch_guest_write(g, hatch_gpa_of(gpa), &value, sizeof(value)), 0);
}

static void expect_word(const struct hatch_guest *g, uint64_t gpa, uint64_t expected)
{
	uint64_t value = ~expected;

	assert_int_equal(hatch_guest_read(g, hatch_gpa_of(gpa), &value, sizeof(value)), 0);
	assert_int_equal(value, expected);
}

static void begin_clone(uint64_t piece, uint64_t limit)
{
	assert_int_equal(
		hatch_demand_init(&demand, &guest, hatch_gpa_of(BASE), 8 * MIB, piece, limit), 0);
	assert_int_equal(touch(BASE), HATCH_RETRY);
	poke(&guest, BASE, 1);
	assert_int_equal(hatch_guest_clone(&clone, &guest), 0);
}

static void test_clone_gets_its_own(void **state)
{
	struct hatch_mapping m;

	(void)state;
	begin_clone(PIECE, 4 * PIECE);
	become(&clone);
	assert_int_equal(touch(BASE + PIECE), HATCH_RETRY);
	poke(&clone, BASE + PIECE, 2);
	expect_mapped(BASE + PIECE, false); /* the guest's */
	become(&guest);
	assert_int_equal(touch(BASE + PIECE), HATCH_RETRY);
	expect_word(&guest, BASE + PIECE, 0);
	expect_word(&clone, BASE + PIECE, 2);
	assert_int_equal(demand.used, 3 * PIECE);
	/* Both write to what they share: look-ups find copies, which are not the clause's. */
	poke(&guest, BASE, 3);
	poke(&clone, BASE, 4);
	assert_int_equal(hatch_gstage_lookup(&guest.stage, hatch_gpa_of(BASE), &m), 0);
	assert_true(m.pooled);
	hatch_guest_fini(&clone);
	expect_word(&guest, BASE, 3);
}

/* What is missing is looked for, and mapped, where it is missing. */
static void test_guests_apart(void **state)
{
	uint64_t page = (uint64_t)(uintptr_t)arena_alloc(&arena, PIECE, PIECE);

	(void)state;
	begin_clone(PIECE, MIB);
	assert_int_equal(touch(BASE + PIECE), HATCH_RETRY);
	become(&clone);
	assert_int_equal(touch(BASE + PIECE), HATCH_RETRY);
	assert_int_equal(touch(BASE + PIECE), HATCH_RETRY);
	assert_int_equal(touch(BASE + 2 * PIECE), HATCH_RETRY);
	/* Another's page in the guest, where the clone has one of the clause, is left alone. */
	assert_int_equal(map(&guest.stage, BASE + 2 * PIECE, page + HOST_OFFSET, PIECE, 7), 0);
	hatch_guest_fini(&clone);
	hatch_demand_fini(&demand);
	expect_mapped(BASE, false);
	expect_mapped(BASE + PIECE, false);
	expect_mapped(BASE + 2 * PIECE, true);
	arena_free(&arena, (void *)(uintptr_t)page, PIECE);
}

/* One limit for all; a clone's end gives nothing back, since its clones may share the page. */
static void test_clones_share_the_limit(void **state)
{
	struct hatch_guest second;

	(void)state;
	begin_clone(PIECE, 3 * PIECE);
	become(&clone);
	assert_int_equal(touch(BASE + PIECE), HATCH_RETRY);
	poke(&clone, BASE + PIECE, 5);
	assert_int_equal(hatch_guest_clone(&second, &clone), 0);
	hatch_guest_fini(&clone);
	expect_word(&second, BASE + PIECE, 5);
	become(&guest);
	assert_int_equal(touch(BASE + PIECE), HATCH_RETRY);
	assert_int_equal(touch(BASE + 2 * PIECE), HATCH_UNWIND);
	become(&second);
	assert_int_equal(touch(BASE + 2 * PIECE), HATCH_UNWIND);
	assert_int_equal(demand.used, 3 * PIECE);
	hatch_guest_fini(&second);
}

static void test_large_pieces_of_clones(void **state)
{
	(void)state;
	begin_clone(2 * MIB, 8 * MIB);
	become(&clone);
	assert_int_equal(touch(BASE + 5 * MIB), HATCH_RETRY);
	poke(&guest, BASE + 4 * KIB, 6); /* splits the leaf that they share */
	poke(&clone, BASE + 8 * KIB, 7);
	expect_word(&clone, BASE + 4 * KIB, 0);
	expect_word(&guest, BASE + 8 * KIB, 0);
	assert_int_equal(demand.used, 4 * MIB);
	hatch_guest_fini(&clone);
}

/* A page that came within a transaction stays, empty as it came. */
static void test_rollback(void **state)
{
	(void)state;
	assert_int_equal(hatch_demand_init(&demand, &guest, hatch_gpa_of(BASE), MIB, PIECE, MIB),
			 0);
	assert_int_equal(hatch_guest_begin(&guest), 0);
	assert_int_equal(touch(BASE), HATCH_RETRY);
	poke(&guest, BASE, 8);
	hatch_guest_rollback(&guest);
	expect_word(&guest, BASE, 0);
	assert_int_equal(demand.used, PIECE);
	assert_int_equal(touch(BASE), HATCH_RETRY);
}

/* More pages than one page of the record has room for; memory that runs out at any of them. */
static void test_record(void **state)
{
	unsigned int refused = 0;

	(void)state;
	assert_int_equal(
		hatch_demand_init(&demand, &guest, hatch_gpa_of(BASE), 4 * MIB, PIECE, 4 * MIB), 0);
	for (uint64_t i = 0; i < 4 * MIB / PIECE;) {
		size_t before = arena.bytes;

		arena.fail_after = (int)(i % 3);
		if (touch(BASE + i * PIECE) == HATCH_RETRY) {
			i++;
			continue;
		}
		assert_int_equal(arena.bytes, before);
		refused++;
		arena.fail_after = NEVER;
		assert_int_equal(touch(BASE + i++ * PIECE), HATCH_RETRY);
	}
	arena.fail_after = NEVER;
	assert_true(refused > 4 * MIB / PIECE / 3);
	assert_int_equal(demand.used, 4 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_touch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_passes_rights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_runs_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clone_gets_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_guests_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clones_share_the_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_pieces_of_clones, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rollback, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
