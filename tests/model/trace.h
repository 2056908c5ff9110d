/* SPDX-License-Identifier: MIT */
/* What happened while a plan was carried out, line by line. */
#ifndef MODEL_TRACE_H
#define MODEL_TRACE_H

#include "plan.h"

enum { TRACE_LINES = 6000 };

enum trace_what {
	TRACE_ASKED,  /* clause a, by instance b, with an event: c kind and length, x key, y rest */
	TRACE_SAID,   /* clause or caller a returned verdict c */
	TRACE_PULLED, /* instance b; the event as above */
	TRACE_STATE,  /* the state of scope a is b */
	TRACE_FINAL,  /* final a ran */
	TRACE_DONE,   /* operation a gave c */
	TRACE_OUTCOME,	/* instance a: returned b, its outcome c, error x, status y */
	TRACE_CULPRIT,	/* instance a: clause b or -1; the guest stands at event c */
	TRACE_UNCAUGHT, /* instance b; the event as above */
	TRACE_SEEN,	/* instance a, its guest's event b: how it went c, result x, the rest y */
	TRACE_WRONG,	/* cannot be; c is the line of the harness that saw it */
};

struct trace_line {
	enum trace_what what;
	int a, b, c;
	bool loose; /* x is anything */
	uint64_t x, y;
};

struct trace {
	int lines;
	struct trace_line line[TRACE_LINES];
};

static inline struct trace_line *trace_add(struct trace *trace, enum trace_what what, int a, int b,
					   int c, uint64_t x, uint64_t y)
{
	struct trace_line *line = &trace->line[trace->lines % TRACE_LINES];

	trace->lines++;
	*line = (struct trace_line){ what, a, b, c, false, x, y };
	return line;
}

/* The first line in which the second trace is not what the first one says; -1: none. */
int trace_compare(const struct trace *model, const struct trace *real);

/* An event, for a line: ASKED, PULLED or UNCAUGHT. */
void trace_event(struct trace *trace, enum trace_what what, int a, int b,
		 const struct plan_event *ev);

/* Prints the trace up to line `end`, `name` in front of each. */
void trace_show(const struct trace *trace, const char *name, int end);

/* ---- What a guest finds after an event ---- */

enum seen_how {
	SEEN_NOTHING,  /* the event has not come to its end */
	SEEN_ANSWERED, /* RESUME */
	SEEN_STEPPED,  /* SKIP, or the guest's own business */
	SEEN_FAULT,    /* an exception: cause in `value`, stval in `second` */
	SEEN_OWN,      /* the hardware's own answer, whatever it was */
	SEEN_OWN_FAULT,
};

struct seen {
	enum seen_how how;
	bool pair;
	uint64_t value, second;
};

/*
 * Guests begin each event with known values in all registers, x1 to x31, and note in a record
 * what they find behind it: x1 to x31 in the words 1 to 31; in word 0 a mark, or an exception's
 * cause with the top bit set, and then its stval in word 8.
 */
enum {
	SEEN_BASE = 8,	/* this register points to the records and is not noted */
	SEEN_ROOM = 32, /* words */
};
#define SEEN_RECORDS	     (PLAN_RAM + 0x3000) /* where in a guest: one after the other */
#define SEEN_POINTER	     (SEEN_RECORDS + 2048)
#define SEEN_MARK	     UINT64_C(0x600d)
#define SEEN_CAUSE	     (UINT64_C(1) << 63)

/* What is in a register at first: nowhere the same, and small enough for one instruction. */
#define SEEN_FIRST(guest, n) (0x100 + 0x200 * (uint64_t)(guest) + 8 * (n))

/* The registers with which the instruction is run. */
void seen_before(const struct plan_event *ev, uint64_t x[32]);
/* The record that such an end of the event leaves. */
void seen_record(const struct plan_event *ev, const struct seen *seen, uint64_t record[SEEN_ROOM]);
/* A record's line in the trace; none for an event that has not come to its end. */
struct trace_line *trace_record(struct trace *trace, int instance, int event,
				const struct plan_event *ev, const uint64_t record[SEEN_ROOM]);

#endif
