/* SPDX-License-Identifier: MIT */
/*
 * Several guests on the harts of one machine: each vcpu is a try, and the scheduler gives them turns.
 * `hatch boot --guests FILE` starts it, and says in blobs what guests there are.
 */
#include <stdio.h>

#include <hatch/board.h>

#include "user.h"
#include "console.h"

enum { SLICES_PER_SECOND = 200 };

static struct hatch_sched sched;
static struct hatch_catch external;

/* ---- Real interrupts ---- */

static void serve_interrupts(void)
{
	enum hatch_board_irq irq;

	while ((irq = hatch_board_interrupt_claim()) != HATCH_BOARD_IRQ_NONE)
		if (irq == HATCH_BOARD_IRQ_CONSOLE)
			console_serve();
		else if (irq < HATCH_BOARD_IRQ_OTHER)
			guests_interrupt(irq - HATCH_BOARD_IRQ_VIRTIO);
}

/* They end the turn of whoever has one on that hart, for a moment. */
static enum hatch_verdict on_external(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	serve_interrupts();
	return hatch_resume(k, 0);
}

/* ---- The harts ---- */

static uint64_t now(void *arg)
{
	return hatch_board_ticks();
}

static void alarm(void *arg, uint64_t ticks)
{
	hatch_board_timer(ticks);
}

static void wait(void *arg)
{
	hatch_board_wait();
	serve_interrupts();
}

static void wake(void *arg, unsigned int hart)
{
	hatch_board_wake(hart);
}

static void serve(void *arg, unsigned int hart)
{
	hatch_sched_serve(&sched, hart);
}

static void make_scheduler(void)
{
	const struct hatch_sched_host host = { now, alarm, wait, wake, NULL };

	check(hatch_sched_init(&sched, &host, hatch_board_frequency() / SLICES_PER_SECOND),
	      "the scheduler");
	external = HATCH_ON_INTERRUPT(IRQ_S_EXT, on_external, NULL);
	check(hatch_catch_add(&sched.scope, &external), "the clause of real interrupts");
}

/* The first that is not 0, in the order of the file. */
static int status(void)
{
	for (unsigned int i = 0; i < guests_count; i++)
		if (guests[i].status)
			return guests[i].status;
	return 0;
}

int main(void)
{
	uint64_t count = find_number("guests", 0);

	if (!count || count > GUESTS_MOST)
		give_up("the number of guests", "1 to 16: start it by hatch boot --guests FILE");
	make_scheduler();
	for (guests_count = 0; guests_count < count; guests_count++)
		guest_start(&guests[guests_count], &sched);
	hatch_board_console_interrupt(true);
	check(hatch_board_parallel(hatch_board_harts(), serve, NULL), "the board's other harts");
	guests_print_status();
	return status();
}
