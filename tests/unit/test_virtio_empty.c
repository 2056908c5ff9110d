/* SPDX-License-Identifier: MIT */
/*
 * A slot without a virtio device: a driver finds nothing there, whatever it does.
 */
#include "device_bus.h"

#include <hatch/handlers/virtio_empty.h>
#include <hatch/handlers/virtio_proxy.h>

enum { MAGIC = 0x74726976, CONFIG = 0x100 };

static struct hatch_catch clause;

static int setup(void **state)
{
	(void)state;
	clause = hatch_virtio_empty_clause(hatch_gpa_of(0x10001000));
	return 0;
}

static uint32_t wanted(uint64_t offset)
{
	return offset == 0 ? MAGIC : offset == 4 ? 2 : 0;
}

static void test_place(void **state)
{
	(void)state;
	assert_int_equal(clause.kind, HATCH_MMIO);
	assert_int_equal(clause.first, 0x10001000);
	assert_int_equal(clause.last, 0x10001000 + HATCH_VIRTIO_SIZE - 1);
}

/* What is stored nobody finds again. */
static void test_registers(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++)
		for (uint64_t offset = 0; offset < HATCH_VIRTIO_SIZE; offset += 4) {
			assert_int_equal(bus_load(&clause, offset, 4), wanted(offset));
			bus_store(&clause, offset, 4, UINT64_MAX);
		}
}

/* Every width and place: the configuration has fields of any width, the registers have 4 bytes. */
static void test_widths(void **state)
{
	(void)state;
	for (uint64_t offset = 0; offset < HATCH_VIRTIO_SIZE; offset++)
		for (unsigned int width = 1; width <= 8; width *= 2) {
			if (offset % width || (width != 4 && offset < CONFIG)) {
				bus_expect_fault(&clause, offset, width, false);
				bus_expect_fault(&clause, offset, width, true);
				continue;
			}
			bus_store(&clause, offset, width, UINT64_MAX);
			assert_int_equal(bus_load(&clause, offset, width), wanted(offset));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_place, setup),
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_widths, setup),
	};

	return cmocka_run_group_tests_name("virtio_empty", tests, NULL, NULL);
}
