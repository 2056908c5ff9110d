/* SPDX-License-Identifier: MIT */
/* From an exit to a settled event: what try.c runs in a loop. */
#ifndef HATCH_CORE_DISPATCH_H
#define HATCH_CORE_DISPATCH_H

#include <hatch/try.h>

/* What a continuation's verdict is when nothing waits: any value but PASS refuses answers. */
#define CLOSED HATCH_VERDICTS

/* What came of an event. */
enum settled {
	SETTLED_NO,	/* passed: ask on */
	SETTLED_YES,	/* answered: the guest goes on */
	SETTLED_OVER,	/* the try is over */
	SETTLED_THROWN, /* another trap took its place: catch_thrown */
};

/* Does what is to be done about the exit that hatch_enter came back with: offsets.h. */
enum settled hatch_take(struct hatch_try *t, int code);

/* Settles the event that the caller of hatch_try_next, or who opened a continuation, had. */
enum settled hatch_settle_pending(struct hatch_try *t);

/* Leaves the tries that a handler of t has pulled and not left. */
void hatch_leave_strays(const struct hatch_try *t);

/*
 * The timer went off, and t->event is that interrupt. If t's deadline has passed, the deadline is
 * over and the event is it.
 */
bool hatch_deadline_passed(struct hatch_try *t);

/* Notes how the run ends. */
void hatch_try_end(struct hatch_try *t, enum hatch_outcome outcome, int error);

/* For IRQ_S_SOFT: see there. */
bool hatch_take_post(struct hatch_vcpu *vcpu);

#endif
