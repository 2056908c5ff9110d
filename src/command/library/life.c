/* SPDX-License-Identifier: MIT */
/* A child's thread: prepares what is missing, runs the machine, and says how it ended. */
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <signal.h>

#include "child.h"
#include "files.h"
#include "image.h"
#include "persist.h"
#include "process.h"
#include "run.h"
#include "snapshot.h"

static int prepare(struct hatch_child *child, struct hatch_problem *problem)
{
	if (hatch_image_make(child, problem) || hatch_persist_make(child, problem))
		return problem->error;
	return hatch_files_make(child, problem);
}

/* A console shows the kernel's boot, and a debugger follows it: that is what they are for. */
static bool may_load(const struct hatch_plan *plan)
{
	return !plan->console && !plan->gdb;
}

static enum hatch_run_end run_once(struct hatch_child *child, struct hatch_exit *exit,
				   struct hatch_problem *problem)
{
	struct hatch_machine_start start = { 0 };
	struct hatch_snapshot snapshot = { 0 };
	enum hatch_run_end end = HATCH_RUN_FAILED;
	char path[40];

	if (may_load(&child->plan) && hatch_snapshot_get(child, &snapshot, problem))
		return end;
	if (snapshot.fd > 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", snapshot.fd);
		start.snapshot = path;
		start.snapshot_size = snapshot.size;
	}
	if (child->plan.gdb)
		hatch_child_tell(child, "the machine waits for gdb at 127.0.0.1:%d",
				 HATCH_GDB_PORT);
	end = hatch_run(child, &start, snapshot.fd > 0 ? snapshot.fd : -1, exit, problem);
	if (end == HATCH_RUN_NOT_LOADED)
		hatch_snapshot_drop(child, &snapshot);
	hatch_snapshot_close(&snapshot);
	return end;
}

/* A snapshot that does no good is made again, once. */
static enum hatch_run_end run(struct hatch_child *child, struct hatch_exit *exit,
			      struct hatch_problem *problem)
{
	enum hatch_run_end end = run_once(child, exit, problem);

	if (end == HATCH_RUN_NOT_LOADED)
		end = run_once(child, exit, problem);
	if (end == HATCH_RUN_NOT_LOADED)
		hatch_problem_set(problem, HATCH_COMMAND_EMACHINE,
				  "the guest does not come up from its snapshot, not even from a "
				  "new one: remove the folder snapshot in %s, and give the guest a "
				  "console to see more",
				  child->plan.places.cache);
	return end;
}

/* What was wished, or had no time left, while something was prepared. */
static void judge_early(struct hatch_child *child, struct hatch_exit *exit,
			const struct hatch_problem *problem)
{
	struct hatch_wishes wishes = hatch_child_wishes(child, false);

	if (wishes.destroy || wishes.signals >> (SIGKILL - 1) & 1) {
		*exit = (struct hatch_exit){ HATCH_EXIT_SIGNALED, SIGKILL, "" };
		return;
	}
	exit->kind = hatch_now() >= child->deadline ? HATCH_EXIT_TIMED_OUT : HATCH_EXIT_NO_MACHINE;
	exit->value = 0;
	memcpy(exit->problem, problem->text, sizeof(exit->problem));
}

/* Whoever reads or writes a pipe of ours sees its end before that of the child. */
static void close_ends(struct hatch_child *child)
{
	for (int i = 0; i < HATCH_STREAMS; i++)
		hatch_end_close(&child->end[i]);
	hatch_end_close(&child->console);
	hatch_close(&child->plan.image_lock);
	hatch_close(&child->plan.persist_lock);
}

static void end(struct hatch_child *child, const struct hatch_exit *exit,
		const struct hatch_problem *problem)
{
	close_ends(child);
	pthread_mutex_lock(&child->lock);
	child->exit = *exit;
	if (child->stage == HATCH_STAGE_BEGINS)
		child->problem = *problem;
	child->stage = HATCH_STAGE_ENDED;
	eventfd_write(child->over, 1);
	pthread_cond_broadcast(&child->changed);
	pthread_mutex_unlock(&child->lock);
}

void *hatch_life(void *arg)
{
	struct hatch_child *child = arg;
	struct hatch_problem problem = { 0 };
	struct hatch_exit exit = { 0 };

	if (prepare(child, &problem) || run(child, &exit, &problem) != HATCH_RUN_OVER)
		judge_early(child, &exit, &problem);
	end(child, &exit, &problem);
	return NULL;
}
