/* SPDX-License-Identifier: MIT */
/* RAM on demand: pages come when touched, never more than the limit, and all go home. */
#include "gstage_arena.h"

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
	begin(&guest.stage, HATCH_SV39X4);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hatch_demand_fini(&demand);
	assert_int_equal(demand.used, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_touch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_passes_rights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_runs_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
