/* SPDX-License-Identifier: MIT */
/* The thread's loop while a machine runs: whatever moves, moves here, and nothing waits elsewhere. */
#include "run.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "control.h"
#include "launch.h"
#include "serial.h"
#include "streams.h"

/* Seconds. A test may have less patience. */
#ifndef HATCH_HELLO_LOADED
#define HATCH_HELLO_LOADED 30 /* from a snapshot: a second, but when the machine is busy */
#endif
#ifndef HATCH_HELLO_BOOTED
#define HATCH_HELLO_BOOTED 300
#endif
#ifndef HATCH_KILL_GRACE
#define HATCH_KILL_GRACE 2
#endif
#define SECOND INT64_C(1000000000)

enum verdict { GOES_ON, SWITCHED_OFF, TIMED_OUT, NO_HELLO };

/* Places of the poll set. */
enum {
	WAKE,
	PROCESS,
	CONTROL,
	SERIAL,
	SOURCE = SERIAL + HATCH_SERIAL_PLACES,
	SINKS = SOURCE + HATCH_PLACES,
	PLACES = SINKS + 2 * HATCH_PLACES,
};

struct run {
	struct hatch_child *child;
	struct hatch_problem *problem;
	struct hatch_launched launched;
	struct hatch_control control;
	struct hatch_source source;
	struct hatch_sink sink[2];
	struct hatch_serial serial;
	bool loaded; /* from a snapshot */
	bool dead;   /* QEMU is */
	enum verdict verdict;
	int64_t hello_by, kill_by, quiet_by; /* of hatch_now(); INT64_MAX: no matter */
};

/* ---- What the user wishes, and what time says ---- */

/* Signals for a program that does not run yet are kept, but for the one that nothing survives. */
static void obey_signals(struct run *run, uint64_t signals)
{
	for (int number = 1; number <= 64; number++) {
		if (signals >> (number - 1) & 1)
			hatch_control_signal(&run->control, number);
	}
	if (signals >> (SIGKILL - 1) & 1)
		run->kill_by = hatch_now() + HATCH_KILL_GRACE * SECOND;
}

static void obey(struct run *run)
{
	struct hatch_wishes wishes = hatch_child_wishes(run->child, run->control.started);

	if (run->control.exited)
		return;
	if (wishes.destroy || (!run->control.started && wishes.signals >> (SIGKILL - 1) & 1))
		run->verdict = SWITCHED_OFF;
	if (run->control.started)
		obey_signals(run, wishes.signals);
	if (wishes.resize && run->child->plan.terminal)
		hatch_control_resize(&run->control, wishes.rows, wishes.columns);
}

static bool wishes_destroy(struct run *run)
{
	return hatch_child_wishes(run->child, false).destroy;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void look_at_clock(struct run *run, int64_t now)
{
	if (now >= run->child->deadline)
		run->verdict = TIMED_OUT;
	else if (now >= run->kill_by)
		run->verdict = SWITCHED_OFF;
	else if (!run->control.hello && now >= run->hello_by)
		run->verdict = NO_HELLO;
}

/* Milliseconds to the next moment at which to look; -1: none. */
static int time_left(const struct run *run, int64_t now)
{
	int64_t by = sooner(sooner(run->child->deadline, run->kill_by), run->quiet_by);

	if (!run->control.hello)
		by = sooner(by, run->hello_by);
	if (by == INT64_MAX)
		return -1;
	by = by > now ? (by - now) / 1000000 + 1 : 0;
	return by > 1000000 ? 1000000 : (int)by;
}

/* ---- The loop ---- */

/*
 * Behind EXITED the ends of the outputs are still on their way. A guest that never sends them is
 * not waited for, but a reader of ours is.
 */
static void watch_quiet(struct run *run)
{
	struct hatch_sink *sink = run->sink;

	if (!run->control.exited)
		return;
	if (run->quiet_by == INT64_MAX || sink[0].moved || sink[1].moved ||
	    hatch_sink_waits(&sink[0]) || hatch_sink_waits(&sink[1]))
		run->quiet_by = hatch_now() + 2 * SECOND;
	sink[0].moved = sink[1].moved = false;
}

static bool is_over(struct run *run)
{
	bool passed_on = hatch_sink_done(&run->sink[0]) && hatch_sink_done(&run->sink[1]);

	if (run->problem->error || run->verdict != GOES_ON || run->sink[0].error ||
	    run->sink[1].error)
		return true;
	if (run->control.exited)
		return passed_on || hatch_now() >= run->quiet_by || wishes_destroy(run);
	return passed_on && run->dead && run->control.inlet.ended;
}

static void prepare(struct run *run, struct pollfd *place, int *ms)
{
	place[WAKE] = (struct pollfd){ run->child->wake, POLLIN, 0 };
	place[PROCESS] = (struct pollfd){ run->dead ? -1 : run->launched.qemu.fd, POLLIN, 0 };
	hatch_serial_prepare(&run->serial, &place[SERIAL]);
	hatch_control_prepare(&run->control, &place[CONTROL]);
	hatch_source_prepare(&run->source, &place[SOURCE], ms);
	hatch_sink_prepare(&run->sink[0], &place[SINKS]);
	hatch_sink_prepare(&run->sink[1], &place[SINKS + HATCH_PLACES]);
}

static void serve(struct run *run, const struct pollfd *place)
{
	eventfd_t count;

	if (place[WAKE].revents)
		eventfd_read(run->child->wake, &count);
	if (place[PROCESS].revents)
		run->dead = true;
	hatch_serial_serve(&run->serial, &place[SERIAL]);
	hatch_control_serve(&run->control, &place[CONTROL], run->problem);
	run->source.open = run->control.started;
	if (run->control.started)
		hatch_child_tell_over(run->child);
	hatch_source_serve(&run->source, &place[SOURCE], run->problem);
	hatch_sink_serve(&run->sink[0], &place[SINKS], run->problem);
	hatch_sink_serve(&run->sink[1], &place[SINKS + HATCH_PLACES], run->problem);
}

static void loop(struct run *run)
{
	struct pollfd place[PLACES];

	while (!is_over(run)) {
		int64_t now = hatch_now();
		int ms = time_left(run, now);

		prepare(run, place, &ms);
		if (poll(place, PLACES, ms) >= 0)
			serve(run, place);
		obey(run);
		watch_quiet(run);
		look_at_clock(run, hatch_now());
	}
}

/* The machine is off: what it wrote before is passed on as far as that goes without waiting. */
static void drain(struct run *run)
{
	struct pollfd place[2 * HATCH_PLACES];

	do {
		hatch_sink_prepare(&run->sink[0], place);
		hatch_sink_prepare(&run->sink[1], place + HATCH_PLACES);
		if (poll(place, 2 * HATCH_PLACES, 0) <= 0)
			break;
		hatch_sink_serve(&run->sink[0], place, run->problem);
		hatch_sink_serve(&run->sink[1], place + HATCH_PLACES, run->problem);
	} while (!run->problem->error);
}

/* ---- How it came out ---- */

static void judge_sink(const struct run *run, struct hatch_problem *problem)
{
	static const char *const name[] = { "output", "error" };

	for (int i = 0; i < 2 && !problem->error; i++) {
		if (run->sink[i].error)
			hatch_problem_set(problem, HATCH_COMMAND_EIO,
					  "cannot write standard %s: %s; the command was ended",
					  name[i], strerror(run->sink[i].error));
	}
}

static void judge_silence(struct run *run, int status)
{
	const char *when = run->control.started ? "while the command ran"
						: "before the command ran";

	if (run->verdict == NO_HELLO)
		hatch_problem_set(run->problem, HATCH_COMMAND_EMACHINE,
				  "the guest did not come up in time: give it a console to see "
				  "how far it gets");
	else
		hatch_launch_blame(&run->launched, status, when, run->problem);
}

static void set_exit(struct hatch_exit *exit, enum hatch_exit_kind kind, int value,
		     const char *text)
{
	exit->kind = kind;
	exit->value = value;
	strcpy(exit->problem, text);
}

static void judge(struct run *run, int status, struct hatch_exit *exit)
{
	struct hatch_problem *problem = run->problem;
	char line[100];

	judge_sink(run, problem);
	if (problem->error) {
		set_exit(exit, HATCH_EXIT_NO_MACHINE, 0, problem->text);
	} else if (run->verdict == TIMED_OUT) {
		snprintf(line, sizeof(line), "no end after %g s: switched off",
			 run->child->plan.timeout);
		set_exit(exit, HATCH_EXIT_TIMED_OUT, 0, line);
	} else if (run->control.exited) {
		hatch_control_judge(&run->control, exit);
	} else if (run->verdict == SWITCHED_OFF) {
		set_exit(exit, HATCH_EXIT_SIGNALED, SIGKILL, "");
	} else {
		judge_silence(run, status);
		set_exit(exit, HATCH_EXIT_NO_MACHINE, 0, problem->text);
	}
	problem->error = 0;
}

/* The guest never spoke, although its board was up: it is the snapshot that is to blame. */
static bool is_not_loaded(const struct run *run)
{
	return run->loaded && !run->control.hello && !run->problem->error &&
	       (run->verdict == NO_HELLO || (run->verdict == GOES_ON && run->launched.board));
}

/* ---- All of it ---- */

static void connect_all(struct run *run)
{
	struct hatch_child *child = run->child;
	const int *port = run->launched.port;

	run->serial.launched = &run->launched;
	run->serial.console = &child->console;
	run->control.port = port[0];
	run->control.plan = &child->plan;
	run->source.port = port[1];
	run->source.end = &child->end[0];
	if (child->collects[0])
		run->source.bytes = &child->bytes[0];
	for (int i = 0; i < 2; i++) {
		run->sink[i].port = port[2 + i];
		run->sink[i].end = &child->end[1 + i];
		if (child->collects[1 + i])
			run->sink[i].collect = &child->bytes[1 + i];
	}
}

static void set_clocks(struct run *run)
{
	int64_t patience = run->loaded ? HATCH_HELLO_LOADED : HATCH_HELLO_BOOTED;

	run->kill_by = run->quiet_by = INT64_MAX;
	run->hello_by = run->child->plan.gdb ? INT64_MAX : hatch_now() + patience * SECOND;
}

static void free_run(struct run *run)
{
	hatch_launch_close(&run->launched);
	hatch_outlet_free(&run->control.outlet);
	hatch_outlet_free(&run->sink[0].outlet);
	hatch_outlet_free(&run->sink[1].outlet);
	free(run);
}

static enum hatch_run_end run_to_end(struct run *run, struct hatch_exit *exit)
{
	int status;

	connect_all(run);
	set_clocks(run);
	hatch_child_stage(run->child, HATCH_STAGE_RUNS, run->launched.qemu.pid);
	loop(run);
	status = hatch_launch_end(&run->launched);
	if (is_not_loaded(run))
		return HATCH_RUN_NOT_LOADED;
	drain(run);
	judge(run, status, exit);
	return HATCH_RUN_OVER;
}

enum hatch_run_end hatch_run(struct hatch_child *child, struct hatch_machine_start *start, int keep,
			     struct hatch_exit *exit, struct hatch_problem *problem)
{
	struct run *run = calloc(1, sizeof(*run));
	enum hatch_run_end end = HATCH_RUN_FAILED;

	if (!run) {
		hatch_problem_memory(problem);
		return end;
	}
	run->child = child;
	run->problem = problem;
	run->loaded = start->snapshot;
	hatch_launch_clear(&run->launched);
	if (!hatch_launch(&run->launched, &child->plan, start, keep, problem))
		end = run_to_end(run, exit);
	free_run(run);
	return end;
}
