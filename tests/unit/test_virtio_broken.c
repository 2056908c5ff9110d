/* SPDX-License-Identifier: MIT */
/* Guests, and devices, that do not follow the rules of virtio queues. */
#include "virtio_driver.h"

static void direct(uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	put_desc(0, 0, addr, len, flags, next);
	offer(0, 0);
}

static void table(uint32_t len, uint64_t addr, uint32_t size, uint16_t flags, uint16_t next)
{
	put_entry(TABLE, 0, addr, size, flags, next);
	direct(TABLE, len, INDIRECT, 0);
}

static void break_in_some_way(unsigned int way)
{
	const uint64_t end = RAM + RAM_PAGES * PAGE;

	/* What is behind the tables would do, were it theirs. */
	put_desc(0, 8, BUFFER(0), 16, 0, 0);
	put_entry(TABLE, 2, BUFFER(0), 16, 0, 0);
	switch (way) {
	case 0:
		offer(0, 8); /* no such descriptor */
		break;
	case 1:
		direct(BUFFER(0), 16, NEXT, 8);
		break;
	case 2:
		direct(BUFFER(0), 16, NEXT, 0); /* for ever */
		break;
	case 3:
		direct(BUFFER(0), 0, 0, 0); /* nothing */
		break;
	case 4:
		direct(end - 15, 16, 0, 0);
		break;
	case 5:
		direct(RAM - 1, 16, WRITE, 0);
		break;
	case 6:
		direct(~(uint64_t)0 - 3, 16, 0, 0);
		break;
	case 7:
		direct(0, 16, WRITE, 0);
		break;
	case 8:
		put_desc(0, 1, BUFFER(1), 16, 0, 0);
		direct(BUFFER(0), 16, NEXT | WRITE, 1); /* readable behind writable */
		break;
	case 9: /* twice half of all */
		put_desc(0, 1, RAM, 0x80000000, 0, 0);
		direct(RAM, 0x80000000, NEXT, 1);
		break;
	case 10:
		driver[0].idx += 8; /* nine at once */
		direct(BUFFER(0), 16, 0, 0);
		break;
	case 11:
		driver[0].idx -= 2; /* backwards */
		direct(BUFFER(0), 16, 0, 0);
		break;
	case 12:
		table(0, BUFFER(0), 16, 0, 0);
		break;
	case 13:
		table(24, BUFFER(0), 16, 0, 0);
		break;
	case 14:
		table(32, BUFFER(0), 16, NEXT, 2);
		break;
	case 15:
		table(16, BUFFER(0), 16, NEXT, 0);
		break;
	case 16:
		table(16, TABLE, 16, INDIRECT, 0);
		break;
	case 17:
		direct(end - 8, 16, INDIRECT, 0);
		break;
	case 18:
		direct(~(uint64_t)7, 16, INDIRECT, 0);
		break;
	case 19:
		put_desc(0, 1, BUFFER(1), 16, 0, 0);
		put_entry(TABLE, 0, BUFFER(0), 16, 0, 0);
		direct(TABLE, 16, INDIRECT | NEXT, 1);
		break;
	case 20:
		table(0xfffffff0, BUFFER(0), 0, NEXT, 0); /* nothing, for ever */
		break;
	case 21:
		direct(RAM + 0x8000000000, 16, WRITE, 0); /* beyond the G-stage's reach, soon */
		break;
	default:
		direct(1ULL << 63, 16, WRITE, 0);
		break;
	}
}

static void test_broken(void **state)
{
	(void)state;
	for (unsigned int way = 0; way <= 22; way++) {
		start_driver(V1 | TABLES, 8);
		ask(1, 5, 16); /* in flight meanwhile */
		kick(1);
		break_in_some_way(way);
		assert_int_equal(proxy.count.broken, way);
		kick(0);
		assert_int_equal(proxy.count.broken, way + 1);
		expect_stopped();
		kick(0);
		kick(1);
		out(STATUS, 15);
		place_queue(2, 8);
		device_interrupts();
		assert_int_equal(in(STATUS), 15 | 64);
		assert_int_equal(in(ISR), 0);
		assert_int_equal(fake.status, 0);
		expect_works(V1 | TABLES);
	}
	/* Without the feature a table is no table. */
	start_driver(V1, 8);
	table(16, BUFFER(0), 16, 0, 0);
	kick(0);
	expect_stopped();
}

static void test_device_rubbish(void **state)
{
	(void)state;
	for (unsigned int way = 0; way < 4; way++) {
		uint16_t *used;

		start_driver(V1, 8);
		ask(0, 0, 16);
		kick(0);
		used = fake_used(&fake.queue[0]);
		memcpy(&used[2], (uint32_t[]){ way == 0 ? 1 : way == 1 ? 64 : 0, 16 }, 8);
		if (way == 2)
			memset(&used[6], 0, 8); /* the same twice */
		used[1] = way == 2 ? 2 : way == 3 ? 0xffff : 1;
		fake.isr = 1;
		device_interrupts();
		expect_stopped();
		expect_works(V1);
	}
	/* It interrupts, and there is nothing. */
	start_driver(V1, 8);
	fake.isr = 1;
	device_interrupts();
	assert_false(line_level);
}

/* ---- Frames without a header ---- */

static void frame(uint64_t features, unsigned int queue, uint32_t len, uint16_t flags, bool good)
{
	unsigned int before;

	start_driver(V1 | features, 8);
	before = fake.queue[queue].requests;
	put_desc(queue, 0, BUFFER(0), len, flags, 0);
	offer(queue, 0);
	kick(queue);
	assert_int_equal(fake.queue[queue].requests, before + good);
	if (!good)
		expect_stopped();
}

/* The first queue of a pair receives; commands have no header. */
static void test_frames(void **state)
{
	const uint64_t control = UINT64_C(1) << 17, hashes = UINT64_C(1) << 57;

	tear_down(state);
	set_up_with(1, 64);
	frame(0, 0, 12, WRITE, true);
	frame(0, 0, 11, WRITE, false);
	frame(0, 0, 12, 0, false);
	frame(0, 1, 12, 0, true);
	frame(0, 1, 11, 0, false);
	frame(0, 1, 12, WRITE, false);
	frame(hashes, 0, 20, WRITE, true);
	frame(hashes, 0, 19, WRITE, false);
	frame(hashes, 1, 19, 0, false);
	frame(control, 2, 2, 0, true);
	frame(control, 0, 2, WRITE, false);
	frame(0, 2, 2, 0, false);
	tear_down(state);
	set_up_with(2, 64);
	frame(0, 1, 1, 0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_frames, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_device_rubbish, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
