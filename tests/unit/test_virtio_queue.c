/* SPDX-License-Identifier: MIT */
/* Requests on their way to a forwarded virtio device and back. */
#include "virtio_driver.h"

/* ---- There and back ---- */

static void test_chain(void **state)
{
	struct request *r = &fake.queue[0].request[0];
	uint8_t text[16] = "what is written";

	(void)state;
	start_driver(V1, 8);
	guest_write(BUFFER(1), text, sizeof(text));
	put_desc(0, 5, BUFFER(1), 16, NEXT, 2);
	put_desc(0, 2, BUFFER(2) + 4000, 200, NEXT, 7); /* over two pages, which are neighbours */
	put_desc(0, 7, BUFFER(4), 10, NEXT | WRITE | 0xfff8, 1); /* reserved bits say nothing */
	put_desc(0, 1, BUFFER(5), 0, NEXT | WRITE, 3);		 /* of no length: left out */
	put_desc(0, 3, BUFFER(5), 20, WRITE, 5);
	offer(0, 5);
	assert_int_equal(fake.queue[0].requests, 0);
	kick(0);
	r = &fake.queue[0].request[0];
	assert_int_equal(fake.queue[0].requests, 1);
	assert_int_equal(r->pieces, 4);
	assert_int_equal(r->readable, 216);
	assert_int_equal(r->writable, 30);
	assert_memory_equal(r->piece[0].at, text, 16);
	assert_int_equal(r->piece[1].len, 200);
	fake_use(0, 0, 31, 9); /* more than there was room for */
	device_interrupts();
	assert_int_equal(handle_interrupt(), 1);
	expect_used(0, 5, 30);
	expect_no_more(0);
	assert_int_equal(proxy.count.chains + proxy.count.used + proxy.count.notified, 3);
}

/* Used in another order, in parts; the indices go round more than once. */
static void test_any_order(void **state)
{
	uint32_t waiting[8] = { 0 }; /* by head: the length of its buffer */
	unsigned int in_flight = 0;
	uint64_t seed = 5;

	(void)state;
	start_driver(V1, 8);
	for (unsigned int round = 0; round < 500000; round++) {
		uint16_t head = bus_random(&seed) % 8;

		if (!waiting[head]) {
			waiting[head] = 1 + bus_random(&seed) % 5000;
			ask(2, head, waiting[head]);
			kick(2);
			in_flight++;
		} else if (in_flight > bus_random(&seed) % 8) {
			struct fake_queue *q = &fake.queue[2];
			unsigned int n = bus_random(&seed) % q->requests;
			uint32_t writable = q->request[n].writable;

			fake_use(2, n, writable, 3);
			device_interrupts();
			for (head = 0; waiting[head] != writable; head++)
				assert_int_not_equal(head, 7);
			if (handle_interrupt() == 1) {
				uint32_t id = read16(driver[2].used + 4 + 8 * (driver[2].seen % 8));

				assert_int_equal(waiting[id], writable);
				expect_used(2, id, writable);
				waiting[id] = 0;
				in_flight--;
			}
		}
	}
	expect_no_more(2);
	assert_true(proxy.count.used > UINT16_MAX);
	assert_int_equal(proxy.count.broken, 0);
}

static void test_indirect(void **state)
{
	struct request *r;

	(void)state;
	start_driver(V1 | TABLES, 8);
	put_desc(0, 1, BUFFER(1), 16, NEXT, 2);
	put_desc(0, 2, TABLE, 16 * 40, INDIRECT | WRITE, 0); /* WRITE says nothing here */
	for (unsigned int i = 0; i < 40;
	     i++) /* longer than the guest's queue: 1, 3, .., 39, 0, .. */
		put_entry(TABLE, i, BUFFER(2) + 64 * i, 32,
			  (i == 38 ? 0 : NEXT) | (i & 1 ? 0 : WRITE), i == 39 ? 0 : i + 2);
	put_entry(TABLE, 0, BUFFER(2), 32, NEXT | WRITE, 2);
	write16(TABLE + 14, 2);
	put_entry(TABLE, 0, BUFFER(6), 48, NEXT, 1); /* the table begins at its first entry */
	put_entry(TABLE, 39, BUFFER(2), 64, NEXT | WRITE, 2);
	offer(0, 1);
	kick(0);
	assert_int_equal(fake.queue[0].requests, 1);
	r = &fake.queue[0].request[0];
	assert_int_equal(r->pieces, 1 + 1 + 20 + 19);
	assert_int_equal(r->readable, 16 + 48 + 19 * 32);
	assert_int_equal(r->writable, 64 + 19 * 32);
	fake_use(0, 0, 7, 1);
	device_interrupts();
	expect_used(0, 1, 7);
}

/* ---- Room ---- */

static void test_hold_back(void **state)
{
	struct fake_queue *q = &fake.queue[0];

	tear_down(state);
	set_up_with(2, 8);
	start_driver(V1 | TABLES, 8);
	for (unsigned int i = 0; i < 5; i++)
		put_entry(TABLE, i, BUFFER(i), 16, i < 4 ? NEXT | WRITE : WRITE, i + 1);
	for (uint16_t i = 0; i < 4; i++) {
		put_desc(0, i, TABLE, 16 * 5, INDIRECT, 0);
		offer(0, i);
	}
	kick(0);
	assert_int_equal(q->requests, 1); /* 8 slots, 5 for each */
	kick(0);
	assert_int_equal(q->requests, 1);
	for (uint16_t i = 0; i < 4; i++) {
		fake_use(0, 0, i, 0);
		device_interrupts();
		expect_used(0, i, i);
		assert_int_equal(q->requests, i < 3);
	}
	expect_no_more(0);
	assert_true(proxy.count.held >= 3);
	/* The guest is asked for kicks again. */
	assert_int_equal(read16(driver[0].used), 0);
	offer(0, 0);
	kick(0);
	assert_int_equal(q->requests, 1);
}

/* Nine pieces never fit into eight, neither at once nor behind others. */
static void test_never_fits(void **state)
{
	tear_down(state);
	set_up_with(2, 8);
	for (unsigned int behind = 0; behind < 2; behind++) {
		start_driver(V1 | TABLES, 8);
		for (unsigned int i = 0; i < 9; i++)
			put_entry(TABLE, i, BUFFER(i), 16, i < 8 ? NEXT | WRITE : WRITE, i + 1);
		if (behind)
			ask(0, 1, 16);
		put_desc(0, 0, TABLE, 16 * 9, INDIRECT, 0);
		offer(0, 0);
		kick(0);
		assert_int_equal(fake.queue[0].requests, behind);
		if (behind) {
			fake_use(0, 0, 16, 0);
			device_interrupts();
			expect_used(0, 1, 16);
		}
		expect_stopped();
	}
	/* Exactly eight do. */
	start_driver(V1 | TABLES, 8);
	put_desc(0, 0, TABLE + 16, 16 * 8, INDIRECT, 0);
	for (unsigned int i = 1; i < 9; i++)
		put_entry(TABLE, i, BUFFER(i), 16, i < 8 ? NEXT | WRITE : WRITE, i);
	offer(0, 0);
	kick(0);
	assert_int_equal(fake.queue[0].request[0].pieces, 8);
}

/* ---- Interrupts and notifications that nobody wants ---- */

static void complete(unsigned int queue, uint16_t head)
{
	fake_use(queue, 0, 1, 0);
	device_interrupts();
	expect_used(queue, head, 1);
}

static void test_flags(void **state)
{
	(void)state;
	start_driver(V1, 8);
	write16(driver[0].avail, 1); /* no interrupts */
	ask(0, 0, 16);
	kick(0);
	complete(0, 0);
	assert_false(line_level);
	write16(driver[0].avail, 0);
	ask(0, 1, 16);
	kick(0);
	complete(0, 1);
	assert_int_equal(handle_interrupt(), 1);
	fake.no_kicks = true;
	ask(0, 2, 16);
	kick(0);
	assert_int_equal(fake.queue[0].notified, 3); /* it says so only now */
	ask(0, 3, 16);
	kick(0);
	assert_int_equal(fake.queue[0].notified, 3);
	fake_fetch(0);
	assert_int_equal(fake.queue[0].requests, 2);
	assert_int_equal(read16(driver[0].used), 0);
}

static void test_event_index(void **state)
{
	uint64_t used_event, avail_event;

	(void)state;
	start_driver(V1 | EVENTS, 8);
	used_event = driver[0].avail + 4 + 2 * 8;
	avail_event = driver[0].used + 4 + 8 * 8;
	for (uint16_t i = 0; i < 5; i++)
		ask(0, i, 16);
	kick(0);
	assert_int_equal(read16(avail_event), 5);
	write16(used_event, 2); /* at the third */
	complete(0, 0);
	assert_false(line_level);
	complete(0, 4);
	assert_false(line_level);
	complete(0, 3);
	assert_int_equal(handle_interrupt(), 1);
	complete(0, 2);
	assert_false(line_level);
	/* Two at once, over the event and beyond it. */
	write16(used_event, 4);
	ask(0, 5, 16);
	kick(0);
	fake_use(0, 0, 1, 0);
	fake_use(0, 0, 1, 0);
	device_interrupts();
	assert_int_equal(handle_interrupt(), 1);
	assert_int_equal(read16(avail_event), 6);
	/* The device wants a notification for the next but one. */
	assert_int_equal(fake.queue[0].notified, 2);
	fake_used(&fake.queue[0])[2 + 4 * 64] = 7;
	ask(0, 6, 16);
	kick(0);
	assert_int_equal(fake.queue[0].notified, 2);
	ask(0, 7, 16);
	kick(0);
	assert_int_equal(fake.queue[0].notified, 3);
	assert_int_equal(fake.queue[0].requests, 2);
}

static unsigned int more;

/* Another hart makes requests available, and kicks only when it is asked to. */
static void make_available(void)
{
	if (more && fake.status & 4) {
		more--;
		ask(0, more % 8, 16);
	}
}

/* Nothing that became available while others were taken is overlooked. */
static void test_available_meanwhile(void **state)
{
	(void)state;
	for (unsigned int events = 0; events < 2; events++) {
		start_driver(events ? V1 | EVENTS : V1, 8);
		ask(0, 0, 16);
		more = 3;
		fake.hook = make_available; /* at the notification, when all was taken */
		kick(0);
		fake.hook = NULL;
		if (events)
			assert_int_equal(read16(driver[0].used + 4 + 8 * 8), 1);
		else
			assert_int_equal(read16(driver[0].used), 0);
		kick(0);
		assert_int_equal(fake.queue[0].requests + more, 4);
	}
}

static unsigned int lookups;

/* The same, in the moment between the last look at the ring and the wish for kicks. */
static void *pointer_meanwhile(void *arg, hatch_hpa hpa)
{
	const bool held = guest.stage.own.held; /* by whom the other hart would wait for */

	if (--lookups == 0) {
		guest.stage.own.held = false;
		ask(0, 1, 16);
		guest.stage.own.held = held;
	}
	return arena_pointer(arg, hpa);
}

static void test_available_at_last(void **state)
{
	(void)state;
	start_driver(V1 | EVENTS, 8);
	ask(0, 0, 16);
	arena.memory.pointer = pointer_meanwhile;
	lookups = 4; /* the ring, the table, the buffer, and where the wish is written */
	kick(0);
	arena.memory.pointer = arena_pointer;
	assert_int_equal(fake.queue[0].requests, 2);
	assert_int_equal(read16(driver[0].used + 4 + 8 * 8), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_chain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_indirect, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hold_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_never_fits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flags, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_event_index, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_available_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_available_at_last, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
