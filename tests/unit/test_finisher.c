/* SPDX-License-Identifier: MIT */
#include "device_bus.h"

#include <hatch/handlers/finisher.h>

static struct hatch_finisher finisher;

static int setup(void **state)
{
	(void)state;
	hatch_finisher_init(&finisher, hatch_gpa_of(0x100000));
	return 0;
}

static void expect_finish(uint32_t value, enum hatch_finisher_request request, unsigned int code)
{
	hatch_finisher_reset(&finisher);
	assert_int_equal(bus_access(&finisher.clause, 0, 4, true, value), HATCH_UNWIND);
	assert_true(bus_k.finished);
	assert_int_equal(bus_k.status, code);
	assert_int_equal(finisher.request, request);
	assert_int_equal(finisher.code, code);
}

static void test_requests(void **state)
{
	(void)state;
	assert_int_equal(finisher.clause.first, 0x100000);
	assert_int_equal(finisher.clause.last, 0x100fff);
	expect_finish(0x5555, HATCH_FINISHER_PASS, 0);
	expect_finish(0x77775555, HATCH_FINISHER_PASS, 0);
	expect_finish(0x00033333, HATCH_FINISHER_FAIL, 3);
	expect_finish(0xffff3333, HATCH_FINISHER_FAIL, 65535);
	expect_finish(0x3333, HATCH_FINISHER_FAIL, 1);
	expect_finish(0x7777, HATCH_FINISHER_RESET, 0);
	hatch_finisher_reset(&finisher);
	assert_int_equal(finisher.request, HATCH_FINISHER_NONE);
	assert_int_equal(finisher.code, 0);
}

/* Of two harts that want something the first is heard; each try ends as its own hart said. */
static void test_first_counts(void **state)
{
	(void)state;
	expect_finish(0x00033333, HATCH_FINISHER_FAIL, 3);
	assert_int_equal(bus_access(&finisher.clause, 0, 4, true, 0x7777), HATCH_UNWIND);
	assert_true(bus_k.finished);
	assert_int_equal(bus_k.status, 0);
	assert_int_equal(finisher.request, HATCH_FINISHER_FAIL);
	assert_int_equal(finisher.code, 3);
}

/* All 16-bit requests but three do nothing. */
static void test_others(void **state)
{
	(void)state;
	for (uint32_t value = 0; value <= 0xffff; value++) {
		if (value == 0x5555 || value == 0x3333 || value == 0x7777)
			continue;
		bus_store(&finisher.clause, 0, 4, value);
		assert_int_equal(finisher.request, HATCH_FINISHER_NONE);
	}
}

static void test_other_accesses(void **state)
{
	(void)state;
	for (uint64_t offset = 0; offset < HATCH_FINISHER_SIZE; offset += 4) {
		assert_int_equal(bus_load(&finisher.clause, offset, 4), 0);
		if (offset)
			bus_store(&finisher.clause, offset, 4, 0x5555);
	}
	bus_expect_width(&finisher.clause, HATCH_FINISHER_SIZE, 4);
	for (unsigned int width = 1; width <= 8; width *= 2) {
		if (width != 4)
			assert_int_equal(bus_access(&finisher.clause, 0, width, true, 0x5555),
					 HATCH_INJECT);
	}
	assert_int_equal(finisher.request, HATCH_FINISHER_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_requests, setup),
		cmocka_unit_test_setup(test_first_counts, setup),
		cmocka_unit_test_setup(test_others, setup),
		cmocka_unit_test_setup(test_other_accesses, setup),
	};

	return cmocka_run_group_tests_name("finisher", tests, NULL, NULL);
}
