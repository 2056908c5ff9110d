/* SPDX-License-Identifier: MIT */
/* A forwarded virtio device that is to be put back from bytes that nobody has saved. */
#include "virtio_image.h"

enum { IMAGES = 60000 };

static void expect_refused(const struct image *image, int error)
{
	static struct hatch_virtio_proxy before;
	unsigned int resets = fake.resets, changes = line_changes;

	before = proxy;
	assert_int_equal(restore(image), error);
	assert_memory_equal(&before, &proxy, sizeof(before));
	assert_int_equal(fake.resets, resets);
	assert_int_equal(line_changes, changes);
}

static void expect_bad(const struct image *good, size_t at, size_t size, uint64_t value, int error)
{
	struct image image = *good;

	memcpy(image.bytes + at, &value, size);
	expect_refused(&image, error);
}

static void test_bad(void **state)
{
	struct image good;

	(void)state;
	put_three_in_flight();
	good = save();
	expect_bad(&good, AT_DEVICE_ID, 4, 1, HATCH_ENOTSUP);
	expect_bad(&good, AT_QUEUES, 4, 2, HATCH_ENOTSUP);
	expect_bad(&good, AT_QUEUES, 4, UINT32_MAX, HATCH_ENOTSUP);
	expect_bad(&good, AT_STATUS, 4, 15 | 16, HATCH_EFORMAT);
	expect_bad(&good, AT_STATUS, 4, 7, HATCH_EFORMAT);  /* without FEATURES_OK */
	expect_bad(&good, AT_STATUS, 4, 11, HATCH_EFORMAT); /* requests without DRIVER_OK */
	expect_bad(&good, AT_STATUS, 4, 15 | 64, HATCH_EFORMAT);
	expect_bad(&good, AT_INTERRUPTS, 4, 4, HATCH_EFORMAT);
	expect_bad(&good, AT_BEYOND, 4, 1, HATCH_EFORMAT);
	expect_bad(&good, AT_ACCEPTED, 8, EVENTS, HATCH_EFORMAT);
	expect_bad(&good, AT_ACCEPTED, 8, V1 | FEATURE(34), HATCH_ENOTSUP);
	expect_bad(&good, AT_TABLE, 8, RAM + 8, HATCH_EFORMAT);
	expect_bad(&good, AT_TABLE, 8, 0, HATCH_EFORMAT);
	expect_bad(&good, AT_TABLE + 8, 8, RAM - 2, HATCH_EFORMAT);
	expect_bad(&good, AT_TABLE + 16, 8, ~(uint64_t)3, HATCH_EFORMAT);
	expect_bad(&good, AT_NUM, 4, 0, HATCH_EFORMAT);
	expect_bad(&good, AT_NUM, 4, 12, HATCH_EFORMAT);
	expect_bad(&good, AT_NUM, 4, 128, HATCH_EFORMAT);
	expect_bad(&good, AT_ENTRIES, 2, 32, HATCH_ENOTSUP);
	expect_bad(&good, AT_IN_FLIGHT, 2, 65, HATCH_EFORMAT);
	expect_bad(&good, AT_READY, 1, 0, HATCH_EFORMAT);
	expect_bad(&good, AT_READY, 1, 2, HATCH_EFORMAT);
	expect_bad(&good, AT_STOPPED, 1, 1, HATCH_EFORMAT);
	expect_bad(&good, AT_RESERVED, 2, 256, HATCH_EFORMAT);
	expect_bad(&good, AT_HEAD, 2, 8, HATCH_EFORMAT);
	expect_three_in_flight();
}

/* Whatever the bytes say, and whatever is in the guest's RAM: refused, or a device that works. */
static void test_any_bytes(void **state)
{
	unsigned int taken = 0;
	struct image good;
	uint64_t seed = 9;

	(void)state;
	put_three_in_flight();
	good = save();
	for (unsigned int i = 0; i < IMAGES; i++) {
		struct image image = good;

		for (unsigned int n = bus_random(&seed) % 4; n; n--)
			image.bytes[bus_random(&seed) % proxy.state.size] =
				(uint8_t)(bus_random(&seed) >> bus_random(&seed) % 16);
		if (restore(&image) != HATCH_OK)
			continue;
		taken++;
		kick(bus_random(&seed) % 4);
		for (unsigned int q = 0; q < FAKE_QUEUES; q++)
			while (fake.queue[q].requests > bus_random(&seed) % 8)
				fake_use(q, 0, bus_random(&seed), 0);
		hatch_virtio_proxy_interrupt(&proxy);
		in(STATUS);
	}
	assert_in_range(taken, IMAGES / 4, IMAGES);
	expect_works(V1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bad, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any_bytes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
