/* SPDX-License-Identifier: MIT */
/*
 * Many vcpus on few harts: tries that take turns. What ends a turn is a catch, of a deadline or of a
 * vcpu that has nothing to do; what begins one is the continuation that was captured then.
 *
 *	hatch_sched_init(&sched, &host, slice);
 *	for each vcpu:                       hatch_sched_add(&sched, &task[i]);
 *	on each hart h of the host at once:  hatch_sched_serve(&sched, h);
 *
 * Fair: a share gets the harts' time in proportion to its weight, whatever the number of its tasks,
 * as long as these can use it. Work-conserving: no hart idles while a task that it may run is ready.
 * Tasks go from hart to hart, unless they are pinned.
 */
#ifndef HATCH_SCHED_H
#define HATCH_SCHED_H

#include <hatch/try.h>

/* Harts that a scheduler serves at most: bits of a mask. */
#define HATCH_SCHED_HARTS 64

/* A call by which a guest gives up the rest of its turn: hatch_sched_yield_clause. */
#define HATCH_SCHED_EID	  0x08534348
#define HATCH_SCHED_YIELD 0

/*
 * What the scheduler takes from the machine that it runs on. Any hart may call any of them, several
 * at once; they call nothing of the scheduler but hatch_sched_wake.
 */
struct hatch_sched_host {
	uint64_t (*now)(void *arg);		  /* host time, ticks */
	void (*alarm)(void *arg, uint64_t ticks); /* as hatch_hart_alarm, of the calling hart */
	void (*wait)(void *arg);		  /* idles the calling hart: see hatch_board_wait */
	void (*wake)(void *arg, unsigned int hart); /* ends that of another one, or the next */
	void *arg;
};

/*
 * Who has a share of the time: as a rule a guest, whose vcpus are its tasks. The user fills the first
 * part and owns it. `ticks` is what its tasks have had in all.
 * Invariant: of two shares with ready tasks the one with the lower `passed` comes first; it is the
 * ticks divided by the weight, but for what was forgiven while it slept.
 */
struct hatch_share {
	const char *name;    /* borrowed */
	unsigned int weight; /* 1 to HATCH_SCHED_WEIGHT_MAX */

	/* Owned by the scheduler. */
	uint64_t ticks;
	uint64_t passed;
	unsigned int awake; /* tasks that run or are ready */
};

#define HATCH_SCHED_WEIGHT_MAX 10000

enum hatch_task_state {
	HATCH_TASK_READY,
	HATCH_TASK_RUNS,
	HATCH_TASK_IDLE,    /* its guest waits for an interrupt */
	HATCH_TASK_STOPPED, /* it waits for hatch_sched_wake */
	HATCH_TASK_OVER,
};

/* What a task does with its turn. */
enum hatch_turn {
	HATCH_TURN_TAKE,
	HATCH_TURN_WAIT, /* nothing, until it is woken */
	HATCH_TURN_END,	 /* it is over; its continuation is dropped */
};

/* One try that takes turns. The user fills the first part and owns it. */
struct hatch_task {
	struct hatch_try *t;
	struct hatch_share *share;
	uint64_t harts; /* where it may run, bit h: hart h; 0: everywhere */
	/*
	 * NULL, or called ahead of each turn, on the hart that it is for: sets what belongs to the
	 * hart, an alarm say.
	 */
	enum hatch_turn (*begin)(struct hatch_task *task);
	/*
	 * NULL, or called behind each turn, on its hart. `over`: the try has ended, or was captured
	 * by somebody else, or `begin` said END. True is returned when it is to go on all the same (a
	 * try that can be run again, or was made anew), false when not. Not over, and it does not
	 * matter what is returned.
	 */
	bool (*end)(struct hatch_task *task, bool over);
	void *arg;

	/* Owned by the scheduler. */
	struct hatch_sched *sched;
	enum hatch_task_state state;
	struct hatch_captured captured; /* its t is NULL: nothing was captured */
	bool idles;			/* that was for want of anything to do */
	bool woken;			/* since its turn began */
	unsigned int hart;		/* of its last turn */
	uint64_t due;			/* IDLE: when to look again, host ticks */
	uint64_t turns, moves;		/* moves: turns on another hart than the one before */
	struct hatch_task *next;
};

/*
 * The user owns it, and fills nothing. `lock` guards the list and the second parts of tasks and
 * shares; no function of others is called with it held.
 */
struct hatch_sched {
	struct hatch_sched_host host;
	struct hatch_scope scope; /* around all tasks' tries: the clauses that end turns */
	struct hatch_catch late, idle;
	uint64_t slice; /* ticks */
	struct hatch_lock lock;
	struct hatch_task *tasks;
	unsigned int left; /* tasks that are not over */
	uint64_t resting;  /* harts that idle, by bits */
	uint64_t floor;	   /* `passed` of the share whose turn began last */
};

/*
 * Makes a scheduler whose turns take `slice` ticks at most. Of the host nothing may be NULL.
 * Errors: HATCH_EINVAL.
 */
int hatch_sched_init(struct hatch_sched *sched, const struct hatch_sched_host *host,
		     uint64_t slice);

/*
 * Adds a task, which begins ready. Its try has not run, and gets the scheduler's scope around its
 * outermost one: so a clause of its own is asked first, and one for a deadline or for WFI decides
 * about turns in the scheduler's place. From any hart, also while others serve, and again once it is
 * over. What stands at `woken` of the vcpu
 * is the scheduler's from now on.
 * Errors: HATCH_EINVAL (no try or share; a weight of 0 or too much; it is there; pinned to nothing),
 * HATCH_ESEALED (the try runs).
 */
int hatch_sched_add(struct hatch_sched *sched, struct hatch_task *task);

/* Serves as hart number `hart`, below HATCH_SCHED_HARTS, until all tasks are over. */
void hatch_sched_serve(struct hatch_sched *sched, unsigned int hart);

/* The task is looked at again soon, if it waited. From any hart, handlers too. */
void hatch_sched_wake(struct hatch_task *task);

/*
 * A clause for a scope of the guest's: it may end its turn by the call HATCH_SCHED_YIELD, which returns
 * 0. A program that spins for a lock that another vcpu holds lets that one run so.
 */
struct hatch_catch hatch_sched_yield_clause(struct hatch_sched *sched);

#endif
