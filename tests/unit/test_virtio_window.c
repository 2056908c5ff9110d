/* SPDX-License-Identifier: MIT */
/*
 * The registers of a forwarded virtio device as memory: after whatever happened, every word of the
 * window is what the clause answers.
 */
#include "virtio_image.h"
#include "window_world.h"

enum { STEPS = 20000, CALM = 32 };

static uint64_t seed;

/* Whoever hears the line finds out why. */
static void on_checked_line(void *arg, bool level)
{
	uint32_t isr;

	assert_ptr_equal(arg, &line_level);
	if (window_read(proxy.guest, BASE + ISR, &isr))
		assert_int_equal(isr != 0, level);
	line_level = level;
}

static int set_up_window(void **state)
{
	set_up(state);
	proxy.line = on_checked_line;
	hatch_virtio_proxy_add_window(&proxy);
	for (unsigned int i = 0; i < FAKE_CONFIG; i++)
		fake.config[i] = (uint8_t)(i * 7);
	return 0;
}

static bool is_open(void)
{
	uint32_t value;

	return window_read(proxy.guest, BASE, &value);
}

/* All of the page. */
static bool agrees(void)
{
	uint32_t value;

	if (!window_agrees(proxy.guest, &proxy.clause, 0, HATCH_VIRTIO_SIZE))
		return false;
	for (uint64_t at = HATCH_VIRTIO_SIZE; at < PAGE; at += 4) {
		assert_true(window_read(proxy.guest, BASE + at, &value));
		assert_int_equal(value, 0);
	}
	return true;
}

/* When the guest has been calm for some interrupts. */
static void open_up(void)
{
	for (unsigned int i = 0; i <= CALM; i++) {
		assert_false(is_open());
		fake_interrupt(1);
		device_interrupts();
	}
}

static void start_and_open(void)
{
	start_driver(V1, 8);
	assert_false(is_open());
	open_up();
	assert_true(agrees());
}

/* ---- One thing after the other ---- */

static void test_when_open(void **state)
{
	unsigned int reads;

	(void)state;
	start_and_open();
	reads = fake.widths[4];
	ask(0, 1, 16);
	kick(0);
	fake_use(0, 0, 16, 0);
	device_interrupts();
	assert_true(is_open());
	assert_true(line_level);
	out(ACK, 1);
	assert_int_equal(fake.widths[4], reads); /* nothing of a request takes a new look */
	assert_true(agrees());
	for (unsigned int i = 0; i < 4; i++) {
		out(i < 2 ? SEL : FEATURES_SEL, i % 2 ? 77 : 1);
		assert_false(is_open());
		open_up();
		assert_true(agrees());
	}
	bus_store(&proxy.clause, CONFIG + 3, 1, 0xee);
	assert_false(is_open());
	kick(0);
	assert_false(is_open());
	open_up();
	assert_true(agrees());
	out(STATUS, 0);
	assert_false(is_open());
	open_up();
	assert_false(is_open());
}

static void change_config(void)
{
	memset(fake.config, (int)(fake.generation + 1), sizeof(fake.config));
	fake.generation++;
	fake_interrupt(2);
}

static void test_config_changes(void **state)
{
	(void)state;
	start_and_open();
	for (unsigned int i = 0; i < 3; i++) {
		change_config();
		device_interrupts();
		assert_true(agrees());
		assert_int_equal(handle_interrupt(), 2);
		assert_true(agrees());
	}
	fake.status |= 64;
	fake_interrupt(2);
	device_interrupts();
	assert_true(agrees());
	assert_int_equal(in(STATUS), 79);
	out(STATUS, 0);
	assert_false(is_open());
}

static unsigned int until_change;

static void change_meanwhile(void)
{
	if (until_change && --until_change == 0)
		change_config();
}

/* What changes while it is read is not shown; when it can be the guest is told. */
static void test_torn(void **state)
{
	unsigned int shut = 0;

	(void)state;
	start_and_open();
	for (unsigned int at = 1; at < 100; at++) {
		save(); /* that shuts it, and the guest is as calm as before */
		fake_interrupt(1);
		until_change = at;
		fake.hook = change_meanwhile;
		hatch_virtio_proxy_interrupt(&proxy);
		fake.hook = NULL;
		shut += !is_open();
		fake.isr |= 2;
		device_interrupts();
		handle_interrupt();
		assert_true(agrees());
	}
	assert_in_range(shut, 64, 70); /* at each of its loads but the first one */
}

static void test_broken(void **state)
{
	(void)state;
	start_and_open();
	put_desc(0, 1, BASE, 16, 0, 0); /* the window is no memory that a request may name */
	offer(0, 1);
	kick(0);
	assert_false(is_open());
	expect_stopped();
	start_and_open();
	hatch_virtio_proxy_reset(&proxy);
	assert_false(is_open());
	/* Nor may a queue be there. */
	accept_features(V1);
	place_queue(0, 8);
	out(READY, 0);
	out64(DESC, BASE);
	out(READY, 1);
	assert_int_equal(in(READY), 0);
}

static void test_no_memory(void **state)
{
	(void)state;
	hatch_virtio_proxy_fini(&proxy);
	fake_reset();
	take_device();
	arena.fail_after = 0;
	hatch_virtio_proxy_add_window(&proxy);
	arena.fail_after = NEVER;
	expect_works(V1);
	assert_false(is_open());
}

/* Each guest of the family has it for itself, with what its own device says. */
static void test_clone(void **state)
{
	struct image image, other;
	struct hatch_guest clone;

	(void)state;
	start_driver(V1, 8);
	out(SEL, 1);
	open_up();
	assert_int_equal(hatch_guest_clone(&clone, &guest), HATCH_OK);
	image = save();
	assert_false(is_open());
	vcpu.guest = &clone;
	assert_int_equal(restore(&image), HATCH_OK);
	assert_ptr_equal(proxy.guest, &clone);
	assert_false(is_open());
	out(SEL, 2);
	out(STATUS, 128);
	open_up();
	assert_true(agrees());
	other = save();
	vcpu.guest = &guest;
	assert_int_equal(restore(&image), HATCH_OK);
	open_up();
	assert_true(agrees());
	hatch_guest_fini(&clone);
	assert_int_equal(restore(&other), HATCH_OK);
	open_up();
	assert_true(agrees());
	assert_int_equal(in(STATUS), 143);
}

/* ---- Anything ---- */

static void any_store(void)
{
	static const uint16_t regs[] = {
		FEATURES_SEL, DRIVER_FEATURES_SEL,
		SEL,	      SEL,
		READY,	      ACK,
		STATUS,	      STATUS,
		NOTIFY,	      MAGIC,
		ISR,	      NUM,
		DESC,	      DRIVER + 4,
		DEVICE,	      GENERATION,
		0xac,	      DRIVER_FEATURES,
	};
	uint32_t value = bus_random(&seed) >> bus_random(&seed) % 32;

	if (bus_random(&seed) % 8)
		out(regs[bus_random(&seed) % (sizeof(regs) / sizeof(*regs))], value % 160);
	else
		bus_store(&proxy.clause, CONFIG + value % 64 * 4, 1U << bus_random(&seed) % 3,
			  value);
}

static void any_request(bool good)
{
	unsigned int queue = bus_random(&seed) % FAKE_QUEUES;

	if (!fake.queue[queue].ready || !driver[queue].num)
		return;
	put_desc(queue, 1, good ? BUFFER(1) : BASE, 16, WRITE, 0);
	offer(queue, 1);
	kick(queue);
}

static void use_any(void)
{
	for (unsigned int i = 0; i < FAKE_QUEUES; i++)
		if (fake.queue[i].requests)
			fake_use(i, 0, 4, 1);
}

static void device_acts(void)
{
	uint32_t what = bus_random(&seed) % 16;

	use_any();
	if (what < 2)
		change_config();
	if (what == 4 && fake.status & 4) {
		fake.status |= 64;
		fake_interrupt(2);
	}
	device_interrupts();
}

static void step(struct image *image)
{
	switch (bus_random(&seed) % 128) {
	case 0:
		start_driver(V1 | (bus_random(&seed) & 1 ? EVENTS : 0), 8);
		break;
	case 3:
		hatch_virtio_proxy_reset(&proxy);
		break;
	case 4:
		*image = save();
		break;
	case 5:
		assert_int_equal(restore(image), HATCH_OK);
		break;
	case 6:
		any_request(false);
		break;
	case 7:
	case 8:
		any_store();
		break;
	case 9:
	case 10:
		out(ACK, bus_random(&seed) & 3);
		break;
	default:
		any_request(true);
		device_acts();
	}
}

static void test_model(void **state)
{
	unsigned int open = 0, live = 0;
	struct image image = save();

	(void)state;
	seed = 1;
	for (unsigned int i = 0; i < STEPS; i++) {
		step(&image);
		open += agrees();
		live += (proxy.status & 68) == 4;
		assert_true((proxy.status & 68) == 4 || !is_open());
	}
	assert_in_range(live, STEPS / 8, STEPS);
	assert_in_range(open, live / 20, live);
	assert_in_range(proxy.count.broken, 10, STEPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_when_open, set_up_window, tear_down),
		cmocka_unit_test_setup_teardown(test_config_changes, set_up_window, tear_down),
		cmocka_unit_test_setup_teardown(test_torn, set_up_window, tear_down),
		cmocka_unit_test_setup_teardown(test_broken, set_up_window, tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, set_up_window, tear_down),
		cmocka_unit_test_setup_teardown(test_clone, set_up_window, tear_down),
		cmocka_unit_test_setup_teardown(test_model, set_up_window, tear_down),
	};

	return cmocka_run_group_tests_name("virtio_window", tests, NULL, NULL);
}
