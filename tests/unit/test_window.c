/* SPDX-License-Identifier: MIT */
#include "guest_pair.h"

#include <hatch/event.h>

#include <hatch/handlers/window.h>
#include <hatch/vcpu.h>

#define AT 0x10001000ULL

static struct hatch_window window;

static void make(void)
{
	assert_int_equal(hatch_window_init(&window, &guest, hatch_gpa_of(AT)), HATCH_OK);
}

static void expect_word(struct hatch_guest *g, uint64_t offset, uint32_t expected)
{
	struct hatch_mapping m = look(g, AT);

	assert_int_equal(m.prot, HATCH_PROT_READ);
	assert_int_equal(m.size, PAGE);
	assert_false(m.cow || m.pooled);
	assert_int_equal(((uint32_t *)arena_pointer(&arena, m.hpa))[offset / 4], expected);
}

static void test_life(void **state)
{
	size_t bytes = arena.bytes;

	(void)state;
	make();
	assert_int_equal(arena.bytes, bytes + PAGE);
	expect_nothing(&guest.stage, AT);
	hatch_window_set(&window, 0x60, 7);
	arena.fences = 0;
	hatch_window_open(&window);
	assert_int_equal(arena.fences, 1); /* a missing translation may be cached */
	expect_word(&guest, 0x60, 7);
	for (unsigned int i = 0; i < PAGE; i += 4)
		expect_word(&guest, i, i == 0x60 ? 7 : 0);
	hatch_window_set(&window, 0x60, 0);
	hatch_window_set(&window, 0xffc, UINT32_MAX);
	expect_word(&guest, 0x60, 0);
	expect_word(&guest, 0xffc, UINT32_MAX);
	hatch_window_open(&window);
	arena.fences = 0;
	hatch_window_shut(&window);
	assert_int_equal(arena.fences, 1);
	expect_nothing(&guest.stage, AT);
	hatch_window_shut(&window);
	assert_int_equal(arena.fences, 1);
	hatch_window_open(&window);
	hatch_window_fini(&window);
	expect_nothing(&guest.stage, AT);
	hatch_window_fini(&window);
	assert_int_equal(arena.bytes, bytes);
}

static void test_none(void **state)
{
	(void)state;
	window = (struct hatch_window){ .page = NULL };
	hatch_window_set(&window, 0, 1);
	hatch_window_open(&window);
	hatch_window_move(&window, &guest);
	hatch_window_shut(&window);
	hatch_window_fini(&window);
	assert_int_equal(hatch_window_init(&window, &guest, hatch_gpa_of(AT + 4)), HATCH_EINVAL);
	assert_int_equal(hatch_window_init(&window, &guest, hatch_gpa_of(RAM)), HATCH_EINVAL);
	arena.fail_after = 0;
	assert_int_equal(hatch_window_init(&window, &guest, hatch_gpa_of(AT)), HATCH_ENOMEM);
	arena.fail_after = NEVER;
	assert_false(hatch_window_is_shut(&window));
	hatch_window_set(&window, 0, 1);
	hatch_window_open(&window);
	expect_nothing(&guest.stage, AT);
}

/* Without memory for its tables it stays shut; there is no trying again at every store. */
static void test_no_tables(void **state)
{
	(void)state;
	for (int tables = 0; tables < 2; tables++) {
		make();
		arena.fail_after = tables;
		hatch_window_open(&window);
		assert_int_equal(window.state, HATCH_WINDOW_FAILED);
		arena.fail_after = NEVER;
		expect_nothing(&guest.stage, AT);
		assert_false(hatch_window_is_shut(&window));
		hatch_window_move(&window, &guest);
		hatch_window_open(&window);
		assert_int_equal(window.state, HATCH_WINDOW_OPEN);
		hatch_window_fini(&window);
	}
	/* Somebody else is there, and stays. */
	make();
	assert_int_equal(map(&guest.stage, AT, HOST_OFFSET, PAGE, 7), 0);
	hatch_window_open(&window);
	hatch_window_move(&window, &guest);
	hatch_window_fini(&window);
	assert_int_equal(look(&guest, AT).hpa.addr, HOST_OFFSET);
}

/* The host's ways to the guest's memory: reading is the guest's right, more is not. */
static void test_host(void **state)
{
	size_t size = 4;
	uint32_t word = 0;

	(void)state;
	make();
	hatch_window_set(&window, 8, 5);
	hatch_window_open(&window);
	assert_null(hatch_guest_region(&guest, hatch_gpa_of(AT)));
	assert_int_equal(hatch_guest_read(&guest, hatch_gpa_of(AT + 8), &word, 4), HATCH_OK);
	assert_int_equal(word, 5);
	assert_int_equal(hatch_guest_write(&guest, hatch_gpa_of(AT + 8), &word, 4), HATCH_EFAULT);
	assert_null(hatch_guest_pointer(&guest, hatch_gpa_of(AT), &size, HATCH_PROT_WRITE));
	assert_null(hatch_guest_pointer(&guest, hatch_gpa_of(AT), &size, HATCH_PROT_EXEC));
	/* A store to it is no store to a page that is shared. */
	make_clone();
	assert_int_equal(unshare(&guest, AT), HATCH_ENOENT);
	assert_int_equal(unshare(&clone, AT), HATCH_ENOENT);
	hatch_window_fini(&window);
}

/* A clone has what was mapped, until the device is moved to it; also when the page is gone. */
static void test_clone(void **state)
{
	(void)state;
	make();
	hatch_window_open(&window);
	make_clone();
	hatch_window_shut(&window); /* the state is saved */
	expect_word(&clone, 0, 0);
	hatch_window_move(&window, &clone);
	expect_nothing(&clone.stage, AT);
	hatch_window_set(&window, 0, 9);
	hatch_window_open(&window);
	expect_word(&clone, 0, 9);
	expect_nothing(&guest.stage, AT);
	hatch_window_move(&window, &guest);
	expect_nothing(&clone.stage, AT);
	hatch_window_open(&window);
	expect_word(&guest, 0, 9);
	hatch_guest_fini(&clone);
	make_clone();
	hatch_window_fini(&window);
	assert_int_equal(look(&clone, AT).size, PAGE); /* somebody else's by now */
	hatch_window_move(&window, &clone);
	expect_nothing(&clone.stage, AT);
}

/* What is mapped is no affair of a transaction, and copies of pages do not touch it. */
static void test_transaction(void **state)
{
	(void)state;
	make();
	hatch_window_set(&window, 0, 1);
	hatch_window_open(&window);
	assert_int_equal(hatch_guest_begin(&guest), HATCH_OK);
	expect_word(&guest, 0, 1);
	assert_int_equal(poke(&guest, RAM, 1), HATCH_OK);
	hatch_window_set(&window, 0, 2);
	hatch_window_shut(&window);
	hatch_window_open(&window);
	assert_int_equal(poke(&guest, RAM + PAGE, 1), HATCH_OK);
	hatch_guest_rollback(&guest);
	expect_word(&guest, 0, 2);
	expect(&guest, RAM, 0);
	expect(&guest, RAM + PAGE, 0);
	hatch_window_fini(&window);
}

/* A store to an open window is the mmio event that it is to a shut one, of any width. */
static void test_events(void **state)
{
	static const uint64_t htinst[] = { 0x00b50023, 0x00b51023, 0x00b52023, 0x00b53023 };
	struct hatch_vcpu vcpu = { .guest = &guest };

	(void)state;
	make();
	hatch_window_open(&window);
	for (unsigned int i = 0; i < 4; i++) {
		struct hatch_trap trap = { .scause = CAUSE_STORE_GUEST_PAGE_FAULT,
					   .stval = AT + 0x50,
					   .htval = (AT + 0x50) >> 2,
					   .htinst = htinst[i] & 0x01f0707f };
		struct hatch_event ev;

		vcpu.frame.x[11] = UINT64_MAX;
		hatch_event_decode(&ev, &trap, &vcpu, 0);
		assert_int_equal(ev.kind, HATCH_MMIO);
		assert_true(ev.mmio.write);
		assert_int_equal(ev.mmio.width, 1 << i);
		trap.scause = CAUSE_FETCH_GUEST_PAGE_FAULT;
		hatch_event_decode(&ev, &trap, &vcpu, 0);
		assert_int_equal(ev.kind, HATCH_FAULT);
	}
	hatch_window_fini(&window);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_transaction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
