/* SPDX-License-Identifier: MIT */
/*
 * The board's harts: they start, work, wait, and share what the board has. Needs a machine of HARTS
 * harts. What they find out they leave in `seen`; the checks are made by the boot hart.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hatch/board.h>
#include <hatch/hart.h>
#include <hatch/types.h>

#include "check.h"

#define HARTS  4
#define ROUNDS 1000

/* What a hart saw or did. */
struct seen {
	unsigned int calls;
	uintptr_t local, stack;
	uint64_t initial, zero;
	const struct hatch_hart_facts *facts;
	int error;
};
static struct seen seen[HARTS];

static _Thread_local uint64_t initial = 42;
static _Thread_local uint64_t zero;

static void parallel(unsigned int harts, void (*work)(void *arg, unsigned int index), void *arg)
{
	expect_equal(hatch_board_parallel(harts, work, arg), 0);
}

/* ---- Starting, working, coming back ---- */

static void come_and_go(void *arg, unsigned int index)
{
	(void)arg;
	seen[index].calls++;
}

static void the_harts_are_there(void)
{
	uint64_t start;

	expect_equal(hatch_board_harts(), HARTS);
	start = hatch_board_ticks();
	parallel(HARTS, come_and_go, NULL);
	check_say("%u harts started and back: %" PRIu64 " us", HARTS - 1,
		  (hatch_board_ticks() - start) * 1000000 / hatch_board_frequency());
	start = hatch_board_ticks();
	parallel(HARTS, come_and_go, NULL);
	check_say("once more: %" PRIu64 " us",
		  (hatch_board_ticks() - start) * 1000000 / hatch_board_frequency());
	for (unsigned int i = 0; i < HARTS; i++)
		expect_equal(seen[i].calls, 2);
}

static void work_within_work(void *arg, unsigned int index)
{
	seen[index].error = hatch_board_parallel(1, come_and_go, arg);
}

static void wrong_requests_are_refused(void)
{
	expect_equal(hatch_board_parallel(0, come_and_go, NULL), HATCH_EINVAL);
	expect_equal(hatch_board_parallel(HARTS + 1, come_and_go, NULL), HATCH_EINVAL);
	parallel(2, work_within_work, NULL);
	expect_equal(seen[0].error, HATCH_EINVAL);
	expect_equal(seen[1].error, HATCH_EINVAL);
}

/* Each round has its own argument: a hart that is late, or comes twice, is found out. */
static void count(void *arg, unsigned int index)
{
	unsigned int *calls = arg;

	__atomic_add_fetch(&calls[0], 1, __ATOMIC_RELAXED);
	calls[1 + index]++;
}

static void each_works_once_in_each_round(void)
{
	static unsigned int calls[ROUNDS][1 + HARTS];

	memset(calls, 0, sizeof(calls));
	for (unsigned int round = 0; round < ROUNDS; round++)
		parallel(1 + round * 7 / 3 % HARTS, count, calls[round]);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		unsigned int harts = 1 + round * 7 / 3 % HARTS;

		expect_equal(calls[round][0], harts);
		for (unsigned int i = 0; i < HARTS; i++)
			expect_equal(calls[round][1 + i], i < harts);
	}
}

/* ---- What belongs to one hart ---- */

static void look_around(void *arg, unsigned int index)
{
	uint8_t here;

	(void)arg;
	seen[index] = (struct seen){
		.local = (uintptr_t)&initial,
		.stack = (uintptr_t)&here,
		.initial = initial,
		.zero = zero,
		.facts = hatch_hart_facts(),
	};
	initial = zero = index + 1;
}

static void harts_share_neither_stack_nor_locals(void)
{
	parallel(HARTS, look_around, NULL);
	for (unsigned int i = 0; i < HARTS; i++) {
		expect_equal(seen[i].initial, 42);
		expect_equal(seen[i].zero, 0);
		expect_equal(seen[i].local % _Alignof(uint64_t), 0);
		expect_equal(seen[i].facts->vmid_bits, hatch_hart_facts()->vmid_bits);
		for (unsigned int j = 0; j < i; j++) {
			uintptr_t apart = seen[i].stack - seen[j].stack;

			expect(seen[i].local != seen[j].local);
			expect(seen[i].facts != seen[j].facts);
			expect((intptr_t)apart >= 128 << 10 || (intptr_t)apart <= -(128 << 10));
		}
	}
	parallel(HARTS, look_around, NULL);
	for (unsigned int i = 0; i < HARTS; i++) {
		expect_equal(seen[i].initial, i + 1);
		expect_equal(seen[i].zero, i + 1);
	}
}

/* Pieces of many sizes, filled with what only this hart writes. */
static void use_the_heap(void *arg, unsigned int index)
{
	uint8_t *piece[16] = { 0 };

	(void)arg;
	seen[index].error = 0;
	for (unsigned int i = 0; i < 2000; i++) {
		uint8_t **p = &piece[i * 5 % 16];
		size_t size = 1 + i * 37 % 300;

		if (*p && (*p)[0] != (uint8_t)(index + 1))
			seen[index].error = __LINE__;
		free(*p);
		*p = malloc(size);
		if (!*p)
			seen[index].error = __LINE__;
		else
			memset(*p, (int)index + 1, size);
	}
	for (unsigned int i = 0; i < 16; i++)
		free(piece[i]);
}

static void harts_share_the_heap(void)
{
	parallel(HARTS, use_the_heap, NULL);
	for (unsigned int i = 0; i < HARTS; i++)
		expect_equal(seen[i].error, 0);
}

static void use_the_library(void *arg, unsigned int index)
{
	char text[40], again[40];

	(void)arg;
	seen[index].error = 0;
	snprintf(text, sizeof(text), "%u %.3f %08x", index, index / 7.0, index * 1000003);
	for (unsigned int i = 0; i < 500; i++) {
		snprintf(again, sizeof(again), "%u %.3f %08x", index, index / 7.0, index * 1000003);
		if (strcmp(text, again))
			seen[index].error = __LINE__;
	}
	for (unsigned int i = 0; i < 3; i++)
		printf("# hart with index %u prints line %u\n", index, i);
}

static void harts_share_the_library(void)
{
	parallel(HARTS, use_the_library, NULL);
	for (unsigned int i = 0; i < HARTS; i++)
		expect_equal(seen[i].error, 0);
}

/* ---- Waiting ---- */

#define SECOND hatch_board_frequency()

static void a_wake_up_before_the_wait_counts(void)
{
	uint64_t start = hatch_board_ticks();

	hatch_board_timer(start + SECOND);
	for (unsigned int i = 0; i < 100; i++) {
		hatch_board_wake(0);
		hatch_board_wait();
	}
	expect(hatch_board_ticks() - start < SECOND);
	hatch_board_timer(UINT64_MAX);
}

static void the_alarm_ends_a_wait(void)
{
	uint64_t start = hatch_board_ticks(), waits = 0;

	hatch_board_timer(start + SECOND / 20);
	while (hatch_board_ticks() < start + SECOND / 20 && ++waits < 1000)
		hatch_board_wait();
	hatch_board_timer(UINT64_MAX);
	expect(hatch_board_ticks() >= start + SECOND / 20);
	check_say("waited %" PRIu64 " times for one alarm", waits);
}

/* Whose turn it is; and the ball that was waited for in vain, if not 0. */
static unsigned int turn, gave_up;

/* A wake-up that is lost would leave both asleep: the alarm ends that. */
static bool await_turn(unsigned int index)
{
	uint64_t late = hatch_board_ticks() + 5 * SECOND;

	hatch_board_timer(late);
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != index) {
		if (hatch_board_ticks() >= late)
			return false;
		hatch_board_wait();
	}
	return true;
}

static void play(void *arg, unsigned int index)
{
	const unsigned int *balls = arg;

	for (unsigned int i = 1; i <= *balls && !gave_up; i++) {
		if (!await_turn(index))
			gave_up = i;
		__atomic_store_n(&turn, 1 - index, __ATOMIC_RELEASE);
		hatch_board_wake(1 - index);
	}
	hatch_board_timer(UINT64_MAX);
}

static void play_balls(unsigned int balls)
{
	uint64_t start = hatch_board_ticks();

	turn = gave_up = 0;
	parallel(2, play, &balls);
	expect_equal(gave_up, 0);
	expect_equal(turn, 0);
	check_say("%u wake-ups: %" PRIu64 " ms", 2 * balls,
		  (hatch_board_ticks() - start) * 1000 / hatch_board_frequency());
}

static void no_wake_up_is_lost(void)
{
	play_balls(5000);
}

static void sleep_past_the_alarm(void *arg, unsigned int index)
{
	(void)arg;
	(void)index;
	hatch_board_timer(hatch_board_ticks());
}

static void an_old_alarm_does_not_matter(void)
{
	parallel(HARTS, sleep_past_the_alarm, NULL);
	play_balls(100);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(the_harts_are_there),
		CHECK(wrong_requests_are_refused),
		CHECK(each_works_once_in_each_round),
		CHECK(harts_share_neither_stack_nor_locals),
		CHECK(harts_share_the_heap),
		CHECK(harts_share_the_library),
		CHECK(a_wake_up_before_the_wait_counts),
		CHECK(the_alarm_ends_a_wait),
		CHECK(no_wake_up_is_lost),
		CHECK(an_old_alarm_does_not_matter),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
