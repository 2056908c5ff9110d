/* SPDX-License-Identifier: MIT */
#include <hatch/board.h>
#include <hatch/handlers/exit.h>

#include "world.h"

static enum hatch_verdict on_late(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	hatch_board_timer(UINT64_MAX);
	return hatch_unwind(k, WORLD_LATE);
}

void world_catch(struct world *w, struct hatch_catch *clause)
{
	expect_equal(hatch_catch_add(&w->t.scope, clause), 0);
}

static void begin_try(struct world *w)
{
	expect_equal(hatch_try_init(&w->t, &w->vcpu), 0);
	w->on_exit = HATCH_ON_EXIT();
	w->on_late = HATCH_ON_INTERRUPT(IRQ_S_TIMER, on_late, NULL);
	world_catch(w, &w->on_exit);
	world_catch(w, &w->on_late);
}

void world_bare(struct world *w, const uint8_t *code, const uint8_t *end)
{
	*w = (struct world){ .guest = { .regions = 0 } };
	expect_equal(hatch_guest_init(&w->guest, hatch_board_memory()), 0);
	expect_equal(hatch_guest_add_ram(&w->guest, hatch_gpa_of(WORLD_RAM), WORLD_RAM_SIZE), 0);
	expect_equal(hatch_vcpu_init(&w->vcpu, &w->guest), 0);
	hatch_vcpu_reset(&w->vcpu, hatch_gpa_of(WORLD_RAM), 0, 0);
	expect_equal(hatch_try_init(&w->t, &w->vcpu), 0);
	world_write(w, WORLD_RAM, code, (size_t)(end - code));
}

void world_begin(struct world *w, const uint8_t *code, const uint8_t *end)
{
	world_bare(w, code, end);
	begin_try(w);
}

void world_again(struct world *w, uint64_t a0, uint64_t a1)
{
	hatch_vcpu_reset(&w->vcpu, hatch_gpa_of(WORLD_RAM), a0, a1);
	begin_try(w);
}

void world_end(struct world *w)
{
	hatch_guest_fini(&w->guest);
}

enum hatch_outcome world_run(struct world *w)
{
	enum hatch_outcome outcome;

	hatch_board_timer(hatch_board_ticks() + WORLD_PATIENCE);
	outcome = hatch_try_run(&w->t);
	hatch_board_timer(UINT64_MAX);
	return outcome;
}

bool world_ended(const struct world *w, enum hatch_outcome outcome, int line)
{
	char how[200];

	return check_that(w->t.outcome == outcome, line, "the try %s; expected it to be %s",
			  hatch_try_format(&w->t, how, sizeof(how)), hatch_outcome_name(outcome));
}

bool world_done(struct world *w, long status, int line)
{
	world_run(w);
	return world_ended(w, HATCH_DONE, line) &&
	       check_equal((uint64_t)w->t.status, (uint64_t)status, line, "the guest's status");
}

void world_write(struct world *w, uint64_t gpa, const void *from, size_t size)
{
	expect_equal(hatch_guest_write(&w->guest, hatch_gpa_of(gpa), from, size), 0);
	__asm__ volatile("fence.i" ::: "memory");
}

uint64_t world_read(struct world *w, uint64_t gpa)
{
	uint64_t value = 0;

	expect_equal(hatch_guest_read(&w->guest, hatch_gpa_of(gpa), &value, sizeof(value)), 0);
	return value;
}
