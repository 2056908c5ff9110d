/* SPDX-License-Identifier: MIT */
/*
 * The model: the meaning of try, catch, finally and continuation, in the plainest words that C
 * has. It knows no registers and no machine: a guest is a list of events and what it found behind
 * each, a scope is a number, a clause is in a scope or in none. docs/model.md tells it in prose.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "trace.h"

enum { NOWHERE = -1, OPEN = HATCH_PASS, SHUT = HATCH_VERDICTS };

/* The continuation: open while an event waits; one answer shuts it. */
struct model_cont {
	int verdict;		      /* OPEN, SHUT, or the answer */
	int error;		      /* why the last answer was refused */
	const struct plan_item *item; /* the answer's words; NULL: a plain value */
	uint64_t value;
};

struct model_try {
	bool there, entered, ended, suspended, pending;
	unsigned int serial; /* captures of this try that are over */
	int innermost, own;  /* scopes */
	int interrupted;     /* the try in whose handler it runs */
	int guest, at;	     /* whose events, and which one is next */
	struct seen seen[PLAN_EVENTS];
	bool behind; /* that event has got its answer, which the guest finds when it goes on */
	struct seen found;
	int asked;		  /* the state of its own scope */
	bool transactional, open; /* the guest as it was when the transaction began: */
	bool was_behind;
	struct seen was_found;
	int was_at, was_asked;
	struct seen was_seen[PLAN_EVENTS];
	struct plan_event event; /* that waits */
	struct model_cont k;
	enum hatch_outcome outcome;
	int error, culprit;
	uint64_t status;
	uint64_t deadline; /* HATCH_NEVER: none */
};

struct model_captured {
	int t;
	unsigned int serial;
};

struct model {
	const struct plan *plan;
	struct trace *trace;
	struct model_try t[PLAN_INSTANCES];
	uint64_t time;	     /* ticks: goes on while guests spin */
	int clones, current; /* the try whose guest is on the hart */
	struct {
		int outer, sealed, finals;
		bool state;
		int final[PLAN_FINALS];
	} scope[PLAN_SCOPES];
	int where[PLAN_CLAUSES]; /* the scope that the clause is in */
	bool final_ran[PLAN_FINALS];
	bool ending;		/* nobody does anything any more */
	int next[PLAN_SCRIPTS]; /* the script's next line */
	struct model_captured slot[PLAN_SLOTS];
};

extern struct model model;

/* Carries the plan out and fills the trace. One at a time. */
void model_run(const struct plan *plan, struct trace *trace);

/* ---- model_scope.c ---- */

int model_add(int clause, int scope);
int model_remove(int clause, int scope);
int model_finally(int final);
int model_state(int scope);
int model_enter(struct model_try *t, int scope);
int model_leave(struct model_try *t);

bool model_catches(const struct plan_script *c, const struct plan_event *ev);
/* Whether the verdict means nothing for the event. */
bool model_is_nonsense(const struct plan_event *ev, int verdict);
/* From the innermost scope outward: they are in force once more (1), or once less (-1). */
void model_seal(const struct model_try *t, int by);
void model_run_finals(const struct model_try *t);

/* ---- model.c ---- */

/* An answer: the verdict, or HATCH_REFUSED. */
int model_give(struct model_try *t, int verdict, const struct plan_item *item, uint64_t value);
int model_refuse(struct model_try *t, int error);
int model_capture(struct model_try *t, const struct plan_item *item);

/* Of a clause: it passed. Of an event: it is answered, the try is over, nobody took it. */
enum model_settled { PASSED, GOES_ON, OVER, LEFT };

/* Runs the guest, from the answer that its event has got, or anew. */
enum model_settled model_go_on(struct model_try *t);
/* Does what the caller answered. */
enum model_settled model_settle_pending(struct model_try *t);
enum model_settled model_end(struct model_try *t, enum hatch_outcome outcome, int error);

/* ---- model_run.c ---- */

int model_try_run(struct model_try *t);
bool model_try_next(struct model_try *t);
void model_try_leave(struct model_try *t);
struct model_try *model_reopen(const struct model_captured *captured);
int model_drop(const struct model_captured *captured);
int model_clone(const struct model_captured *captured, struct model_captured *to);
int model_fini(struct model_try *t);

/* ---- model_play.c: who says what when ---- */

/* A finally clause runs. */
void model_final(int final);

/* Asks the handler of a script; what it returns. */
int model_ask(struct model_try *t, int script);

#endif
