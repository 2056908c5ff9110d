/* SPDX-License-Identifier: MIT */
/* The life of a forwarded virtio device: its queues, its status, its interrupts. */
#include "virtio_driver.h"

/* ---- Queues ---- */

static bool can_be_placed(uint32_t num, uint64_t table, uint64_t avail, uint64_t used)
{
	out(STATUS, 0);
	accept_features(V1);
	out(SEL, 2);
	out(NUM, num);
	out64(DESC, table);
	out64(DRIVER, avail);
	out64(DEVICE, used);
	out(READY, 1);
	assert_int_equal(fake.queue[2].ready, in(READY));
	return in(READY);
}

static void test_place(void **state)
{
	const uint64_t end = RAM + RAM_PAGES * PAGE;

	(void)state;
	assert_true(can_be_placed(64, RAM, RAM + 0x1002, RAM + 0x2004));
	assert_true(can_be_placed(1, end - 16, RAM, RAM + 4));
	assert_true(can_be_placed(8, RAM, end - 22, RAM));
	assert_true(can_be_placed(8, RAM, RAM, end - 72));
	assert_false(can_be_placed(0, RAM, RAM, RAM));
	assert_false(can_be_placed(3, RAM, RAM, RAM));
	assert_false(can_be_placed(128, RAM, RAM, RAM));
	assert_false(can_be_placed(0x80000000, RAM, RAM, RAM));
	assert_false(can_be_placed(8, RAM + 8, RAM, RAM));
	assert_false(can_be_placed(8, RAM, RAM + 1, RAM));
	assert_false(can_be_placed(8, RAM, RAM, RAM + 2));
	assert_false(can_be_placed(8, end - 112, RAM, RAM));
	assert_false(can_be_placed(8, RAM, end - 20, RAM));
	assert_false(can_be_placed(8, RAM, RAM, end - 68));
	assert_false(can_be_placed(8, RAM - 16, RAM, RAM));
	assert_false(can_be_placed(8, RAM, 0, RAM));
	assert_false(can_be_placed(8, RAM, RAM, ~(uint64_t)3));
	assert_false(can_be_placed(8, RAM + FEATURE(40), RAM, RAM));
	out(SEL, 3); /* there is none */
	out(NUM, 8);
	out(READY, 1);
	assert_int_equal(in(READY), 0);
	assert_int_equal(in(NUM_MAX), 0);
	expect_works(V1);
}

static void test_queue_is_fixed(void **state)
{
	struct fake_queue before;

	(void)state;
	start_driver(V1, 8);
	out(SEL, 1);
	before = fake.queue[1];
	out(NUM, 16);
	out64(DESC, 0);
	out64(DRIVER, 0);
	out64(DEVICE, 0);
	out(READY, 1);
	assert_memory_equal(&before, &fake.queue[1], sizeof(before));
	ask(1, 3, 100);
	kick(1);
	assert_int_equal(fake.queue[1].requests, 1);
}

/* Taken back and placed anew, before the device runs; afterwards only a reset helps. */
static void test_queue_taken_back(void **state)
{
	(void)state;
	accept_features(V1);
	place_queue(1, 8);
	out(READY, 0);
	assert_int_equal(in(READY) + fake.queue[1].ready, 0);
	place_queue(1, 16);
	assert_int_equal(in(READY) + fake.queue[1].ready, 2);
	out(STATUS, 15);
	ask(1, 3, 100);
	kick(1);
	out(READY, 0);
	assert_int_equal(in(READY), 0);
	fake_use(1, 0, 60, 0x66); /* told to nobody */
	device_interrupts();
	expect_no_more(1);
	assert_false(line_level);
	ask(1, 4, 100);
	kick(1);
	assert_int_equal(fake.queue[1].requests, 0);
	out(READY, 1);
	assert_int_equal(in(READY), 0);
	expect_works(V1);
}

/* ---- Status, reset, interrupts ---- */

static void test_nothing_before_driver_ok(void **state)
{
	(void)state;
	accept_features(V1);
	place_queue(1, 8);
	ask(1, 3, 100);
	kick(1);
	fake.isr = 3;
	hatch_virtio_proxy_interrupt(&proxy);
	assert_int_equal(fake.isr, 0);
	assert_int_equal(in(ISR), 0);
	assert_int_equal(fake.queue[1].notified, 0);
	out(STATUS, 15 | 128); /* what waits is taken now */
	assert_int_equal(in(STATUS), 15 | 128);
	assert_int_equal(fake.queue[1].requests, 1);
}

static void test_reset_in_flight(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		start_driver(V1 | EVENTS, 8);
		fake.busy_resets = 50;
		ask(0, 1, 100);
		ask(1, 3, 100);
		kick(0);
		kick(1);
		fake_use(0, 0, 10, 1);
		device_interrupts();
		assert_true(line_level);
		if (i == 1)
			hatch_virtio_proxy_reset(&proxy);
		else
			out(STATUS, 0);
		assert_int_equal(in(STATUS) + in(ISR), 0);
		assert_false(line_level);
		assert_int_equal(fake.queue[1].requests, 0);
		out(SEL, 1);
		assert_int_equal(in(READY), 0);
		kick(1);
		device_interrupts();
		expect_no_more(1);
		expect_works(V1);
	}
	assert_int_equal(proxy.count.broken, 0);
}

static void test_config_change(void **state)
{
	(void)state;
	start_driver(V1, 8);
	fake.isr = 2;
	device_interrupts();
	assert_int_equal(handle_interrupt(), 2);
	device_interrupts(); /* of another device, or late */
	assert_false(line_level);
	fake.isr = 2;
	device_interrupts();
	line_changes = 0;
	ask(1, 3, 100);
	kick(1);
	fake_use(1, 0, 60, 0);
	device_interrupts();
	assert_int_equal(line_changes, 0); /* it is high as it is */
	out(ACK, 2);
	assert_int_equal(in(ISR), 1);
	assert_true(line_level);
	out(ACK, UINT32_MAX);
	assert_false(line_level);
}

static void test_device_needs_reset(void **state)
{
	(void)state;
	start_driver(V1, 8);
	fake.status |= 64;
	fake.isr = 2;
	device_interrupts();
	assert_int_equal(handle_interrupt(), 2);
	assert_int_equal(in(STATUS), 15 | 64);
	expect_works(V1);
}

/* A device that never says that it was reset is not touched again, and keeps its queues. */
static void test_dead(void **state)
{
	void *shadow[FAKE_QUEUES];
	size_t bytes, size;

	(void)state;
	start_driver(V1, 8);
	for (unsigned int i = 0; i < FAKE_QUEUES; i++)
		shadow[i] = fake_ring(&fake.queue[i], 0);
	fake.busy_resets = UINT32_MAX;
	out(STATUS, 0);
	assert_true(proxy.dead);
	accept_features(V1);
	assert_int_equal(in(STATUS), 3);
	fake.isr = 1;
	hatch_virtio_proxy_interrupt(&proxy);
	assert_int_equal(fake.isr, 1);
	hatch_virtio_proxy_reset(&proxy);
	bytes = arena.bytes;
	hatch_virtio_proxy_fini(&proxy);
	assert_in_range(arena.bytes, bytes - 3 * PAGE, bytes - 1);
	size = arena.bytes;
	hatch_guest_fini(&guest);
	assert_in_range(size - arena.bytes, RAM_PAGES * PAGE, size - 1);
	size = arena.bytes / FAKE_QUEUES;
	for (unsigned int i = 0; i < FAKE_QUEUES; i++)
		arena_free(&arena, shadow[i], size);
	assert_int_equal(size % PAGE, 0);
	assert_int_not_equal(size, 0);
	fake.busy = fake.busy_resets = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_queue_is_fixed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_queue_taken_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_before_driver_ok, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reset_in_flight, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_config_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_device_needs_reset, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dead, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
