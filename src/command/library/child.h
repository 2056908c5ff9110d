/* SPDX-License-Identifier: MIT */
/*
 * A child: its user's side and its thread's. What both touch is guarded by the lock; all else is the
 * thread's until it has ended.
 */
#ifndef HATCH_LIBRARY_CHILD_H
#define HATCH_LIBRARY_CHILD_H

#include <pthread.h>

#include "end.h"
#include "plan.h"

/* How far the thread is, as a spawning caller wants to know. */
enum hatch_stage {
	HATCH_STAGE_BEGINS,
	HATCH_STAGE_PREPARES, /* something takes a while: nobody waits for it */
	HATCH_STAGE_RUNS,     /* QEMU does */
	HATCH_STAGE_ENDED,
};

/* What the user wants of the thread. */
struct hatch_wishes {
	bool destroy;
	bool resize;
	unsigned int rows, columns;
	uint64_t signals; /* bit n: signal n */
};

struct hatch_child {
	pthread_t thread;
	struct hatch_plan plan;
	int64_t deadline;	     /* of CLOCK_MONOTONIC, ns; INT64_MAX: none */
	int user_end[HATCH_STREAMS]; /* the user's side only: of pipes; -1: none, or taken */
	struct hatch_end end[HATCH_STREAMS];
	bool collects[HATCH_STREAMS];
	struct hatch_bytes bytes[HATCH_STREAMS]; /* to be given, or collected */
	struct hatch_end console;
	bool told; /* of something that takes a while */
	int wake;  /* an event for the thread: there are wishes */
	int over;  /* an event for the user: it has ended */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* stage has */
	/* Under the lock from here on. */
	enum hatch_stage stage;
	bool forked; /* QEMU was started, or something took a while: the spawn has been a success */
	pid_t pid;
	struct hatch_wishes wishes;
	struct hatch_problem problem; /* of a spawn that failed */
	struct hatch_exit exit;
};

/* Of CLOCK_MONOTONIC, nanoseconds. */
int64_t hatch_now(void);

/* The thread's whole life; the argument is the child. */
void *hatch_life(void *child);

/* Tells whom it may concern. PID: QEMU's; 0: none. */
void hatch_child_stage(struct hatch_child *child, enum hatch_stage stage, pid_t pid);

/* Something begins that takes a while: WHAT is told to the user. */
void hatch_child_tell(struct hatch_child *child, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* It is over: the command is about to run, and may print. */
void hatch_child_tell_over(struct hatch_child *child);

/*
 * Waits until one of COUNT descriptors is readable (negative ones never are), for MS milliseconds at
 * most (negative: for ever). Returns 1 if one is, 0 if time is up. EMACHINE: the child is to end now.
 */
int hatch_child_wait_for(struct hatch_child *child, const int *fds, size_t count, int ms,
			 struct hatch_problem *problem);

/* Takes what is wished; signals stay unless SIGNALS. */
struct hatch_wishes hatch_child_wishes(struct hatch_child *child, bool signals);

#endif
