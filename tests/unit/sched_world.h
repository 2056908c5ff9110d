/* SPDX-License-Identifier: MIT */
/*
 * A world for the scheduler: harts and tries that are played. There is a clock that goes on only while
 * somebody runs or waits, and programs are a few numbers.
 */
#ifndef SCHED_WORLD_H
#define SCHED_WORLD_H

#include "support.h"

#include "../../src/core/hart.h"
#include "queue.h"

enum { SLICE = 100, MOST = 8 };

static struct hatch_sched sched;
static uint64_t now; /* host time */
static unsigned int woken[4];

/* What a try does: so much work, in pieces, with a nap behind each. */
struct program {
	struct hatch_vcpu vcpu;
	struct hatch_try t;
	struct hatch_task task;
	struct hatch_share share;
	uint64_t work;	/* ticks that are left of it */
	uint64_t piece; /* ticks between two naps; 0: it takes none */
	uint64_t nap;	/* ticks; 0: until somebody wakes it */
	unsigned int naps;
};

static struct program programs[MOST];

/* ---- The world ---- */

static uint64_t host_now(void *arg)
{
	(void)arg;
	return now;
}

static uint64_t alarm_at;

static void host_alarm(void *arg, uint64_t ticks)
{
	(void)arg;
	alarm_at = ticks;
}

/* Nobody else is there to wake it: it waits for the alarm. */
static void host_wait(void *arg)
{
	(void)arg;
	assert_int_not_equal(alarm_at, HATCH_NEVER);
	if (alarm_at > now)
		now = alarm_at;
}

static void host_wake(void *arg, unsigned int hart)
{
	(void)arg;
	woken[hart]++;
}

/* ---- A hart of the host, on which no vcpu ever is ---- */

struct hatch_hart *hatch_hart_this(void)
{
	static struct hatch_hart hart;

	return &hart;
}

void hatch_hart_kick(const struct hatch_hart *hart)
{
	fail();
}

void hatch_hart_hvip(uint64_t set, uint64_t clear)
{
	fail();
}

void hatch_hart_fence(const struct hatch_fence *fence)
{
	fail();
}

/* ---- Tries, as core has them ---- */

static struct program *program_of(struct hatch_try *t)
{
	return (struct program *)((char *)t - offsetof(struct program, t));
}

void hatch_try_set_deadline(struct hatch_try *t, uint64_t ticks)
{
	t->deadline = ticks;
}

static enum hatch_outcome leave(struct hatch_try *t, struct hatch_catch *clause)
{
	const struct hatch_event ev = { .kind = clause->kind };

	t->cont.verdict = HATCH_PASS;
	t->vcpu->running = t;
	assert_int_equal(clause->handler(clause->arg, &ev, &t->cont), HATCH_CAPTURE);
	t->vcpu->running = NULL;
	t->suspended = true;
	return t->outcome = HATCH_SUSPENDED;
}

static enum hatch_outcome work(struct hatch_try *t)
{
	struct program *p = program_of(t);
	uint64_t until = hatch_vcpu_host_ticks(&p->vcpu, t->deadline);
	uint64_t can = p->piece && p->piece < p->work ? p->piece : p->work;
	uint64_t done = until > now ? until - now : 0;

	t->suspended = false;
	if (done > can)
		done = can;
	now += done;
	p->work -= done;
	if (!p->work)
		return t->outcome = HATCH_DONE;
	if (done < can)
		return leave(t, &sched.late);
	p->naps++;
	p->vcpu.vs.vstimecmp = p->nap ? now + p->nap + p->vcpu.confine.htimedelta : UINT64_MAX;
	return leave(t, &sched.idle);
}

enum hatch_outcome hatch_try_run(struct hatch_try *t)
{
	assert_false(t->suspended);
	return work(t);
}

enum hatch_outcome hatch_cont_resume(const struct hatch_captured *captured, uint64_t value)
{
	assert_int_equal(value, 0);
	assert_int_equal(captured->serial, captured->t->serial);
	assert_true(captured->t->suspended);
	captured->t->serial++;
	return work(captured->t);
}

int hatch_cont_drop(const struct hatch_captured *captured)
{
	assert_true(captured->t->suspended);
	captured->t->suspended = false;
	captured->t->serial++;
	return 0;
}

/* ---- Set-up ---- */

static inline int setup(void **state)
{
	const struct hatch_sched_host host = { host_now, host_alarm, host_wait, host_wake, NULL };

	(void)state;
	now = 1000;
	alarm_at = HATCH_NEVER;
	memset(programs, 0, sizeof(programs));
	memset(woken, 0, sizeof(woken));
	assert_int_equal(hatch_sched_init(&sched, &host, SLICE), HATCH_OK);
	return 0;
}

/* The share is its own, unless another one is given. */
static inline struct program *add(unsigned int i, uint64_t work_ticks, unsigned int weight,
				  struct hatch_share *share)
{
	struct program *p = &programs[i];

	p->vcpu.confine.htimedelta = -UINT64_C(500);
	p->vcpu.vs.vsie = HVIP_VSTIP >> 1 | HVIP_VSSIP >> 1;
	p->t = (struct hatch_try){ .vcpu = &p->vcpu };
	hatch_scope_init(&p->t.scope, "try", NULL);
	p->t.innermost = p->t.own = &p->t.scope;
	p->t.cont.vcpu = &p->vcpu;
	p->work = work_ticks;
	p->share.weight = weight;
	p->task.t = &p->t;
	p->task.share = share ? share : &p->share;
	assert_int_equal(hatch_sched_add(&sched, &p->task), HATCH_OK);
	return p;
}

#endif
