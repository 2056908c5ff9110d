/* SPDX-License-Identifier: MIT */
/* The RAM that requests for a virtio device name: scattered, missing, shared, or not theirs. */
#include "virtio_driver.h"

#define LAZY	 0xa0000000ULL
#define READONLY 0xb0000000ULL

static uint8_t lent[PAGE] __attribute__((aligned(PAGE)));

/* Pages of the host in no order, each alone between two others. */
static uint8_t *map_page(uint64_t gpa, unsigned int prot)
{
	uint8_t *page = arena_alloc(&arena, PAGE, PAGE);

	assert_int_equal(map(&guest.stage, gpa, arena_physical(&arena, page).addr, PAGE, prot), 0);
	return page;
}

static void free_page(uint8_t *page)
{
	arena_free(&arena, page, PAGE);
}

static void test_scattered(void **state)
{
	uint8_t *block = arena_alloc(&arena, 8 * PAGE, PAGE);
	static const unsigned int order[8] = { 4, 5, 6, 2, 3, 7, 1, 0 };
	struct request *r;

	(void)state;
	assert_int_equal(hatch_guest_add_lazy(&guest, hatch_gpa_of(LAZY), 16 * PAGE), 0);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(map(&guest.stage, LAZY + i * PAGE,
				     arena_physical(&arena, block + order[i] * PAGE).addr, PAGE, 7),
				 0);
	start_driver(V1, 8);
	put_desc(0, 0, LAZY + 100, 8 * PAGE - 200, WRITE, 0);
	offer(0, 0);
	kick(0);
	r = &fake.queue[0].request[0];
	assert_int_equal(r->pieces, 5); /* 4 5 6, 2 3, 7, 1, 0 */
	assert_ptr_equal(r->piece[0].at, block + 4 * PAGE + 100);
	assert_int_equal(r->piece[0].len, 3 * PAGE - 100);
	assert_ptr_equal(r->piece[1].at, block + 2 * PAGE);
	assert_int_equal(r->piece[1].len, 2 * PAGE);
	assert_int_equal(r->piece[4].len, PAGE - 100);
	fake_use(0, 0, 8 * PAGE - 200, 0x5c);
	device_interrupts();
	expect_used(0, 0, 8 * PAGE - 200);
	for (unsigned int i = 0; i < 8 * PAGE; i += 50) {
		uint8_t byte;

		guest_read(LAZY + i, &byte, 1);
		assert_int_equal(byte, i < 100 || i >= 8 * PAGE - 100 ? 0 : 0x5c);
	}
	hatch_virtio_proxy_reset(&proxy);
	hatch_gstage_unmap(&guest.stage, hatch_gpa_of(LAZY), 8 * PAGE);
	arena_free(&arena, block, 8 * PAGE);
}

static uint8_t *lazy_page;

static bool on_page(void *arg, struct hatch_guest *g, hatch_gpa gpa)
{
	assert_ptr_equal(arg, &lazy_page);
	assert_ptr_equal(g, &guest);
	if (lazy_page)
		return false;
	lazy_page = map_page(gpa.addr & ~(uint64_t)(PAGE - 1), 7);
	return true;
}

static void test_lazy(void **state)
{
	(void)state;
	assert_int_equal(hatch_guest_add_lazy(&guest, hatch_gpa_of(LAZY), 16 * PAGE), 0);
	lazy_page = NULL;
	start_driver(V1, 8);
	put_desc(0, 0, LAZY + 3 * PAGE + 8, 100, WRITE, 0);
	offer(0, 0);
	kick(0);
	expect_stopped(); /* nobody makes pages */
	proxy.page = on_page;
	proxy.page_arg = &lazy_page;
	start_driver(V1, 8);
	put_desc(0, 0, LAZY + 3 * PAGE + 8, 100, WRITE, 0);
	offer(0, 0);
	kick(0);
	assert_ptr_equal(fake.queue[0].request[0].piece[0].at, lazy_page + 8);
	put_desc(0, 1, LAZY + 5 * PAGE, 100, WRITE, 0);
	offer(0, 1);
	kick(0);
	expect_stopped(); /* there is but one */
	hatch_virtio_proxy_reset(&proxy);
	hatch_gstage_unmap(&guest.stage, hatch_gpa_of(LAZY), 16 * PAGE);
	free_page(lazy_page);
}

/* Takes what is left of the family's pool, and of the memory behind it. */
static void exhaust(void)
{
	arena.fail_after = 0;
	for (uint64_t at = 0; at < RAM_PAGES * PAGE; at += PAGE)
		if (at != BUFFER(3) - RAM)
			hatch_guest_unshare(&guest, hatch_gpa_of(RAM + at));
}

/* What the device writes into a page that is shared with a clone, the clone does not see. */
static void test_shared(void **state)
{
	static struct hatch_guest clone;
	uint8_t byte;

	(void)state;
	assert_int_equal(hatch_guest_clone(&clone, &guest), 0);
	start_driver(V1 | TABLES, 8);
	put_desc(0, 0, BUFFER(1), 16, NEXT, 1);
	put_desc(0, 1, BUFFER(2), 16, WRITE, 1);
	offer(0, 0);
	kick(0);
	fake_use(0, 0, 16, 0x44);
	device_interrupts();
	expect_used(0, 0, 16);
	guest_read(BUFFER(2), &byte, 1);
	assert_int_equal(byte, 0x44);
	assert_int_equal(hatch_guest_read(&clone, hatch_gpa_of(BUFFER(2)), &byte, 1), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(hatch_guest_read(&clone, hatch_gpa_of(driver[0].used + 2), &byte, 1), 0);
	assert_int_equal(byte, 0);
	/* No memory for a page of its own: the device is lost, and comes back. */
	hatch_guest_fini(&clone);
	assert_int_equal(hatch_guest_clone(&clone, &guest), 0);
	ask(0, 3, 16); /* the table, the ring and what is used are its own now, the buffer is not */
	write16(driver[0].used, 0);
	exhaust();
	kick(0);
	arena.fail_after = NEVER;
	expect_stopped();
	hatch_virtio_proxy_reset(&proxy);
	hatch_guest_fini(&clone);
	expect_works(V1);
}

static void test_rights(void **state)
{
	uint8_t *block;

	(void)state;
	assert_int_equal(
		hatch_guest_lend(&guest, hatch_gpa_of(READONLY), lent, PAGE, HATCH_PROT_READ), 0);
	start_driver(V1, 8);
	put_desc(0, 0, READONLY, 100, 0, 0);
	offer(0, 0);
	kick(0);
	assert_int_equal(fake.queue[0].requests, 1);
	put_desc(0, 1, READONLY, 100, WRITE, 0);
	offer(0, 1);
	kick(0);
	expect_stopped();
	/* Nor is it good for rings: nothing is used there. */
	accept_features(V1);
	out(SEL, 0);
	out64(DESC, READONLY);
	out64(DRIVER, RAM);
	out64(DEVICE, READONLY);
	out(NUM, 8);
	out(READY, 1);
	out(STATUS, 15);
	expect_stopped();
	/* What is mapped outside of all regions is not RAM, nor is it where a region ends before. */
	block = arena_alloc(&arena, 2 * MIB, 2 * MIB);
	assert_int_equal(hatch_guest_add_lazy(&guest, hatch_gpa_of(LAZY), PAGE), 0);
	assert_int_equal(map(&guest.stage, LAZY, arena_physical(&arena, block).addr, 2 * MIB, 7),
			 0);
	for (unsigned int beyond = 0; beyond < 3; beyond++) {
		start_driver(V1, 8);
		put_desc(0, 0, LAZY + (beyond > 1 ? PAGE : PAGE - 100), 100 + beyond % 2, 0, 0);
		offer(0, 0);
		kick(0);
		assert_int_equal(fake.queue[0].requests, !beyond);
		if (beyond)
			expect_stopped();
	}
	hatch_virtio_proxy_reset(&proxy);
	hatch_gstage_unmap(&guest.stage, hatch_gpa_of(LAZY), 2 * MIB);
	arena_free(&arena, block, 2 * MIB);
}

/* Work for one kick is bounded, and what is left over is not forgotten. */
static void test_budget(void **state)
{
	uint8_t *block;
	unsigned int done = 0;

	tear_down(state);
	set_up_with(2, 1024);
	block = arena_alloc(&arena, 512 * PAGE, PAGE);
	assert_int_equal(hatch_guest_add_lazy(&guest, hatch_gpa_of(LAZY + PAGE), 512 * PAGE), 0);
	assert_int_equal(
		map(&guest.stage, LAZY + PAGE, arena_physical(&arena, block).addr, 512 * PAGE, 7),
		0); /* leaves of 4 KiB */
	start_driver(V1, 128);
	for (uint16_t i = 0; i < 128; i++) {
		put_desc(0, i, LAZY + PAGE, 512 * PAGE, 0, 0);
		offer(0, i);
	}
	kick(0);
	assert_int_equal(fake.queue[0].requests, 32768 / 513);
	while (fake.queue[0].requests) {
		fake_use(0, 0, 0, 0);
		device_interrupts();
		done++;
	}
	assert_int_equal(done, 128);
	hatch_virtio_proxy_reset(&proxy);
	hatch_gstage_unmap(&guest.stage, hatch_gpa_of(LAZY), 600 * PAGE);
	arena_free(&arena, block, 512 * PAGE);
}

/* 512 buffers of 8 MiB, all the same one, are more than the length of a request can tell. */
static void test_long(void **state)
{
	tear_down(state);
	set_up_with(2, 1024);
	assert_int_equal(hatch_guest_add_ram(&guest, hatch_gpa_of(LAZY), 8 * MIB), 0);
	for (unsigned int count = 511; count <= 512; count++) {
		start_driver(V1 | TABLES, 8);
		for (unsigned int i = 0; i < count; i++)
			put_entry(LAZY, i, LAZY, 8 * MIB, i + 1 < count ? NEXT : 0,
				  (uint16_t)(i + 1));
		put_desc(0, 0, LAZY, 16 * count, INDIRECT, 0);
		offer(0, 0);
		kick(0);
		assert_int_equal(fake.queue[0].requests, count == 511);
	}
	expect_stopped();
}

/* The guest's RAM goes away below its queue. */
static void test_ring_goes_away(void **state)
{
	(void)state;
	assert_int_equal(hatch_guest_add_lazy(&guest, hatch_gpa_of(LAZY), PAGE), 0);
	for (unsigned int at_use = 0; at_use < 2; at_use++) {
		uint8_t *page = map_page(LAZY, 7);

		accept_features(V1);
		place_queue(0, 8);
		out(READY, 0);
		driver[0].used = LAZY + 4;
		write16(LAZY + 6, 0);
		out64(DEVICE, LAZY + 4);
		out(READY, 1);
		assert_int_equal(in(READY), 1);
		out(STATUS, 15);
		ask(0, 0, 16);
		if (at_use) {
			kick(0);
			fake_use(0, 0, 16, 0);
		}
		hatch_gstage_unmap(&guest.stage, hatch_gpa_of(LAZY), PAGE);
		free_page(page);
		if (at_use)
			hatch_virtio_proxy_interrupt(&proxy);
		else
			kick(0);
		expect_stopped();
	}
	expect_works(V1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_scattered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lazy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rights, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_budget, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ring_goes_away, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
