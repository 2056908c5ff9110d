/* SPDX-License-Identifier: MIT */
/*
 * Many small guests alive at once, over and over: each is what it was told to be, and when all have
 * ended every page is back. For more: meson test --benchmark many-long
 */
#include <inttypes.h>

#include <hatch/board.h>
#include <hatch/handlers/exit.h>

#include "world.h"

#define GUESTS	 256
#define RAM_SIZE (2 * HATCH_PAGE_SIZE)
#define NUMBER	 (WORLD_RAM + HATCH_PAGE_SIZE) /* which guest it is, in its second page */

#ifndef MANY_WAVES
#define MANY_WAVES 4
#endif

/* Tells its number, and ends with the answer and what it has told. */
GUEST(teller, "	li s0, 0x80001000\n"
	      "	ld a0, 0(s0)\n"
	      "	ask 1\n"
	      "	ld s1, 0(s0)\n"
	      "	slli a0, a0, 32\n"
	      "	or a0, a0, s1\n"
	      "	sd a0, 8(s0)\n"
	      "	quit\n");

static struct {
	struct hatch_guest guest;
	struct hatch_vcpu vcpu;
	struct hatch_try t;
	struct hatch_catch on_ask, on_exit;
	struct hatch_captured held;
} small[GUESTS];

/* All of them stand here at the same time. */
static enum hatch_verdict on_ask(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)ev;
	return hatch_cont_capture(k, arg);
}

static void create(unsigned int i, uint64_t number)
{
	expect_equal(hatch_guest_init(&small[i].guest, hatch_board_memory()), 0);
	expect_equal(hatch_guest_add_ram(&small[i].guest, hatch_gpa_of(WORLD_RAM), RAM_SIZE), 0);
	expect_equal(hatch_guest_write(&small[i].guest, hatch_gpa_of(WORLD_RAM), teller,
				       (size_t)(teller_end - teller)),
		     0);
	expect_equal(hatch_guest_write(&small[i].guest, hatch_gpa_of(NUMBER), &number, 8), 0);
	expect_equal(hatch_vcpu_init(&small[i].vcpu, &small[i].guest), 0);
	hatch_vcpu_reset(&small[i].vcpu, hatch_gpa_of(WORLD_RAM), 0, 0);
	expect_equal(hatch_try_init(&small[i].t, &small[i].vcpu), 0);
	small[i].on_ask = HATCH_ON_HYPERCALL(WORLD_EID, on_ask, &small[i].held);
	small[i].on_exit = HATCH_ON_EXIT();
	expect_equal(hatch_catch_add(&small[i].t.scope, &small[i].on_ask), 0);
	expect_equal(hatch_catch_add(&small[i].t.scope, &small[i].on_exit), 0);
}

/* In its RAM is what it has left there, and a zero where nobody wrote. */
static void look_at(unsigned int i, uint64_t number)
{
	uint64_t left[3] = { 0 }, told = (number ^ 0xffff) << 32 | number;

	expect_equal(hatch_guest_read(&small[i].guest, hatch_gpa_of(NUMBER), left, sizeof(left)),
		     0);
	expect_equal(small[i].t.status, told);
	expect_equal(left[1], told);
	expect_equal(left[2], 0);
}

static void go_on(unsigned int i, uint64_t number)
{
	expect_equal(small[i].t.event.hypercall.arg[0], number);
	expect_equal(hatch_cont_resume(&small[i].held, number ^ 0xffff), HATCH_DONE);
	look_at(i, number);
}

/* They begin, go on and end in different orders. */
static void wave(uint64_t first)
{
	for (unsigned int i = 0; i < GUESTS; i++)
		create(i, first + i);
	__asm__ volatile("fence.i" ::: "memory");
	for (unsigned int i = 0; i < GUESTS; i++)
		expect_equal(hatch_try_run(&small[i].t), HATCH_SUSPENDED);
	for (unsigned int i = 0; i < GUESTS; i++)
		go_on(i * 37 % GUESTS, first + i * 37 % GUESTS);
	for (unsigned int i = 0; i < GUESTS; i++)
		hatch_guest_fini(&small[i * 101 % GUESTS].guest);
}

static void every_page_comes_back(void)
{
	uint64_t before = hatch_board_memory_free();

	for (unsigned int i = 0; i < MANY_WAVES; i++) {
		wave((uint64_t)i * GUESTS);
		expect_equal(hatch_board_memory_free(), before);
	}
	check_say("%u guests, %u of them at a time: %" PRIu64 " bytes free before and %" PRIu64
		  " behind them",
		  MANY_WAVES * GUESTS, GUESTS, before, hatch_board_memory_free());
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(every_page_comes_back),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
