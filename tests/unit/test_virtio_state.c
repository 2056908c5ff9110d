/* SPDX-License-Identifier: MIT */
/*
 * A forwarded virtio device that is saved and put back: for a guest that is rolled back, cloned, or
 * taken elsewhere.
 */
#include "virtio_image.h"

static void test_size_and_name(void **state)
{
	(void)state;
	assert_string_equal(proxy.state.name, "virtio@10001000");
	assert_int_equal(proxy.state.version, 1);
	assert_int_equal(proxy.state.size, AT_QUEUE + FAKE_QUEUES * QUEUE_SIZE);
}

/* Nothing is in flight: the device notices nothing. */
static void test_idle(void **state)
{
	struct image image;
	unsigned int resets;

	(void)state;
	image = save();
	assert_int_equal(restore(&image), HATCH_OK);
	start_driver(V1 | EVENTS, 8);
	ask(0, 1, 16);
	kick(0);
	fake_use(0, 0, 16, 0);
	resets = fake.resets;
	image = save(); /* tells the guest what is used already */
	assert_int_equal(fake.resets, resets);
	expect_used(0, 1, 16);
	line_level = false; /* somebody else used the line */
	assert_int_equal(restore(&image), HATCH_OK);
	assert_int_equal(fake.resets, resets + 1);
	assert_int_equal(fake.status, 15);
	assert_int_equal(fake.driver, V1 | EVENTS);
	assert_int_equal(handle_interrupt(), 1);
	ask(0, 2, 16);
	kick(0);
	fake_use(0, 0, 16, 0);
	device_interrupts();
	expect_used(0, 2, 16);
	assert_int_equal(proxy.count.broken, 0);
}

/* Half negotiated, half placed, and a queue that was taken back. */
static void test_halfway(void **state)
{
	struct image image;

	(void)state;
	accept_features(V1);
	place_queue(0, 8);
	out(SEL, 1);
	out64(DESC, RAM + 0x100);
	image = save();
	out(STATUS, 0);
	assert_int_equal(restore(&image), HATCH_OK);
	assert_int_equal(in(STATUS), 11);
	assert_int_equal(fake.status, 11);
	assert_int_equal(fake.queue[0].ready, 1);
	assert_int_equal(fake.queue[1].ready, 0);
	out64(DRIVER, RAM + 0x200);
	out64(DEVICE, RAM + 0x300);
	out(NUM, 8);
	out(READY, 1);
	assert_int_equal(in(READY), 1);
	out(STATUS, 15);
	out(READY, 0);
	image = save();
	out(STATUS, 0);
	assert_int_equal(restore(&image), HATCH_OK);
	assert_int_equal(fake.queue[1].ready, 0);
	out(READY, 1);
	assert_int_equal(in(READY), 0);
	ask(0, 1, 16);
	kick(0);
	assert_int_equal(fake.queue[0].requests, 1);
}

/* ---- In flight ---- */

/* Whoever saves goes on afterwards, and the device with him. */
static void test_save_in_flight(void **state)
{
	(void)state;
	put_three_in_flight();
	handle_interrupt();
	fake.isr = 2; /* its configuration changed, and nobody knows yet */
	save();
	assert_int_equal(handle_interrupt(), 2);
	expect_three_in_flight();
}

static void test_restore_in_flight(void **state)
{
	struct driver then;
	struct image image;

	(void)state;
	put_three_in_flight();
	image = save();
	then = driver[0];
	expect_three_in_flight();
	/* The guest's RAM of then: the used ring goes back. */
	driver[0] = then;
	write16(then.used + 2, then.seen);
	assert_int_equal(restore(&image), HATCH_OK);
	expect_three_in_flight();
	/* In another run, where the device is new. */
	driver[0] = then;
	write16(then.used + 2, then.seen);
	hatch_virtio_proxy_fini(&proxy);
	take_device();
	assert_int_equal(restore(&image), HATCH_OK);
	expect_three_in_flight();
}

/* As hatch_try does for a transaction. What is written in it goes to copies. */
static void test_rollback(void **state)
{
	struct image image;
	struct driver then;

	(void)state;
	put_three_in_flight();
	then = driver[0];
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	image = save();
	expect_three_in_flight();
	ask(0, 6, 16);
	kick(0);
	hatch_guest_rollback(&guest);
	assert_int_equal(restore(&image), HATCH_OK);
	driver[0] = then;
	expect_no_more(0);
	expect_three_in_flight();
}

static void test_clone(void **state)
{
	struct hatch_guest clone;
	struct image image;
	struct driver then;
	uint8_t byte;

	(void)state;
	put_three_in_flight();
	then = driver[0];
	assert_int_equal(hatch_guest_clone(&clone, &guest), HATCH_OK);
	image = save();
	vcpu.guest = &clone;
	assert_int_equal(restore(&image), HATCH_OK);
	expect_three_in_flight();
	guest_read(BUFFER(1), &byte, 1);
	assert_int_equal(byte, 0x11);
	vcpu.guest = &guest;
	assert_int_equal(restore(&image), HATCH_OK);
	guest_read(BUFFER(1), &byte, 1);
	assert_int_equal(byte, 0);
	driver[0] = then;
	expect_three_in_flight();
	hatch_guest_fini(&clone);
}

static unsigned int accesses;

static void use_last(void)
{
	if (accesses++ == 0)
		fake_use(0, 1, 2, 0x22);
}

/* What the device uses between the last look and its reset it is not given again. */
static void test_used_meanwhile(void **state)
{
	(void)state;
	put_three_in_flight();
	accesses = 0;
	fake.hook = use_last;
	save();
	fake.hook = NULL;
	assert_int_equal(fake.queue[0].requests, 2);
	expect_used(0, 1, 2);
	expect_no_more(0);
}

/* What was in flight in a queue that the guest took back is over with the first reset. */
static void test_taken_back(void **state)
{
	unsigned int resets;

	(void)state;
	start_driver(V1, 8);
	ask(1, 1, 16);
	kick(1);
	out(SEL, 1);
	out(READY, 0);
	resets = fake.resets;
	save(); /* twice */
	assert_int_equal(fake.resets, resets + 1);
	assert_int_equal(fake.queue[1].requests, 0);
	ask(0, 1, 16);
	kick(0);
	assert_int_equal(fake.queue[0].requests, 1);
}

/* ---- What cannot be put back ---- */

static void expect_lost(const struct image *image)
{
	assert_int_equal(restore(image), HATCH_OK);
	assert_true(line_level);
	assert_int_equal(fake.status, 0);
	expect_stopped();
	expect_works(V1);
}

/* The descriptors are not what they were when the device got them. */
static void test_requests_gone(void **state)
{
	struct image image;

	(void)state;
	put_three_in_flight();
	image = save();
	put_desc(0, 2, 0, 16, WRITE, 0);
	expect_lost(&image);
}

static void test_stateful(void **state)
{
	static const struct {
		uint32_t device_id;
		uint64_t features;
		bool stateless;
	} cases[] = {
		{ 1, 0, true },
		{ 1, FEATURE(22), false },
		{ 1, FEATURE(60), false },
		{ 2, 0, true },
		{ 3, 0, true },
		{ 3, FEATURE(1), false },
		{ 4, 0, true },
		{ 8, 0, false },
		{ 9, 0, false },
		{ 18, 0, false },
		{ 19, 0, false },
		{ 20, 0, false },
		{ 25, 0, false },
		{ 26, 0, false },
		{ 34, 0, true },
		{ 41, 0, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image image;

		tear_down(state);
		set_up_with(cases[i].device_id, 64);
		start_driver(V1 | cases[i].features, 8);
		image = save();
		if (!cases[i].stateless) {
			expect_lost(&image);
			continue;
		}
		assert_int_equal(restore(&image), HATCH_OK);
		assert_int_equal(in(STATUS), 15);
	}
}

static void use_one(void)
{
	static unsigned int polls;

	if (fake.queue[0].requests && ++polls % 100 == 0)
		fake_use(0, 0, 5, 0);
}

/* A device that must not be reset is waited for; what takes too long stays in flight. */
static void test_stateful_in_flight(void **state)
{
	tear_down(state);
	set_up_with(19, 64);
	start_driver(V1, 8);
	ask(0, 1, 16);
	ask(0, 2, 16);
	kick(0);
	fake.hook = use_one;
	save();
	fake.hook = NULL;
	expect_used(0, 1, 5);
	expect_used(0, 2, 5);
	ask(0, 3, 16);
	kick(0);
	save();
	assert_int_equal(fake.queue[0].requests, 1);
	assert_int_equal(in(STATUS), 15);
	/* In a transaction its memory might be given to somebody else at the end. */
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	save();
	expect_stopped();
	hatch_guest_commit(&guest);
}

/* The guest has not begun: no interrupt, but the device is of no use. */
static void test_features_gone(void **state)
{
	struct image image;

	(void)state;
	accept_features(V1);
	image = save();
	fake.refuses = true;
	assert_int_equal(restore(&image), HATCH_OK);
	assert_int_equal(in(STATUS), 11 | 64);
	assert_int_equal(in(ISR), 0);
	assert_int_equal(fake.status, 0);
	fake.refuses = false;
	expect_works(V1);
}

static void test_dead(void **state)
{
	struct image image;

	(void)state;
	put_three_in_flight();
	image = save();
	fake.busy_resets = UINT32_MAX;
	save();
	assert_int_equal(in(STATUS)&64, 64);
	assert_int_equal(restore(&image), HATCH_ENOTSUP);
	fake.busy = fake.busy_resets = 0;
	proxy.dead = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_size_and_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_idle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_halfway, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_save_in_flight, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_restore_in_flight, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rollback, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_clone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_requests_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stateful, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stateful_in_flight, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_used_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_taken_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_features_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dead, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
