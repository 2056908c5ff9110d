/* SPDX-License-Identifier: MIT */
/* The user's side of a child. */
#include "child.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

int64_t hatch_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- For its thread ---- */

void hatch_child_stage(struct hatch_child *child, enum hatch_stage stage, pid_t pid)
{
	pthread_mutex_lock(&child->lock);
	child->stage = stage;
	child->pid = pid;
	pthread_cond_broadcast(&child->changed);
	pthread_mutex_unlock(&child->lock);
}

void hatch_child_tell(struct hatch_child *child, const char *format, ...)
{
	char text[600];
	va_list values;

	hatch_child_stage(child, HATCH_STAGE_PREPARES, 0);
	if (!child->plan.tell)
		return;
	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	child->told = true;
	child->plan.tell(child->plan.tell_arg, text);
}

void hatch_child_tell_over(struct hatch_child *child)
{
	if (child->told)
		child->plan.tell(child->plan.tell_arg, "");
	child->told = false;
}

struct hatch_wishes hatch_child_wishes(struct hatch_child *child, bool signals)
{
	struct hatch_wishes wishes;

	pthread_mutex_lock(&child->lock);
	wishes = child->wishes;
	child->wishes.resize = false;
	if (signals)
		child->wishes.signals = 0;
	pthread_mutex_unlock(&child->lock);
	return wishes;
}

/* Why nothing more is to be prepared; 0: go on. */
static int interrupted(struct hatch_child *child, struct hatch_problem *problem)
{
	bool ends;

	pthread_mutex_lock(&child->lock);
	ends = child->wishes.destroy || child->wishes.signals >> (SIGKILL - 1) & 1;
	pthread_mutex_unlock(&child->lock);
	if (ends)
		return hatch_problem_set(problem, HATCH_COMMAND_EMACHINE, "switched off");
	if (hatch_now() >= child->deadline)
		return hatch_problem_set(problem, HATCH_COMMAND_EMACHINE,
					 "no end after %g s: switched off", child->plan.timeout);
	return 0;
}

/* The sooner of MS (negative: never) and the child's deadline. */
static int limit(const struct hatch_child *child, int ms)
{
	int64_t left = child->deadline - hatch_now();

	if (child->deadline == INT64_MAX || (ms >= 0 && left / 1000000 >= ms))
		return ms;
	left = left > 0 ? left / 1000000 + 1 : 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int hatch_child_wait_for(struct hatch_child *child, const int *fds, size_t count, int ms,
			 struct hatch_problem *problem)
{
	struct pollfd place[4] = { { child->wake, POLLIN, 0 } };
	eventfd_t value;
	int ready;

	for (size_t i = 0; i < count; i++)
		place[1 + i] = (struct pollfd){ fds[i], POLLIN, 0 };
	do {
		ready = poll(place, 1 + count, limit(child, ms));
		if (place[0].revents)
			eventfd_read(child->wake, &value);
		if (interrupted(child, problem))
			return problem->error;
	} while (ready < 0 || (ready == 1 && place[0].revents));
	return ready > 0;
}

/* ---- For its user ---- */

pid_t hatch_child_id(const struct hatch_child *child)
{
	struct hatch_child *self = (struct hatch_child *)child;
	pid_t pid;

	pthread_mutex_lock(&self->lock);
	pid = self->pid;
	pthread_mutex_unlock(&self->lock);
	return pid;
}

static int take(struct hatch_child *child, int number)
{
	int fd = child->user_end[number];

	child->user_end[number] = -1;
	return fd < 0 ? HATCH_COMMAND_ESTALE : fd;
}

int hatch_child_take_stdin(struct hatch_child *child)
{
	return take(child, 0);
}

int hatch_child_take_stdout(struct hatch_child *child)
{
	return take(child, 1);
}

int hatch_child_take_stderr(struct hatch_child *child)
{
	return take(child, 2);
}

/* The lock is held until the thread is awake: it cannot end, and the child be freed, before. */
static void wake(struct hatch_child *child)
{
	eventfd_write(child->wake, 1);
	pthread_mutex_unlock(&child->lock);
}

/* As in a process: who goes on has forgotten that he should stop, and the other way round. */
static uint64_t without_opposite(uint64_t signals, int number)
{
	const uint64_t stops = UINT64_C(1) << (SIGSTOP - 1) | UINT64_C(1) << (SIGTSTP - 1) |
			       UINT64_C(1) << (SIGTTIN - 1) | UINT64_C(1) << (SIGTTOU - 1);

	if (number == SIGCONT)
		return signals & ~stops;
	return stops >> (number - 1) & 1 ? signals & ~(UINT64_C(1) << (SIGCONT - 1)) : signals;
}

int hatch_child_kill(struct hatch_child *child, int number)
{
	if (number < 1 || number > 64)
		return HATCH_COMMAND_EINVAL;
	pthread_mutex_lock(&child->lock);
	child->wishes.signals = without_opposite(child->wishes.signals, number);
	child->wishes.signals |= UINT64_C(1) << (number - 1);
	wake(child);
	return 0;
}

void hatch_child_resize(struct hatch_child *child, unsigned int rows, unsigned int columns)
{
	pthread_mutex_lock(&child->lock);
	child->wishes.resize = true;
	child->wishes.rows = rows;
	child->wishes.columns = columns;
	wake(child);
}

void hatch_child_destroy(struct hatch_child *child)
{
	pthread_mutex_lock(&child->lock);
	child->wishes.destroy = true;
	wake(child);
}

void hatch_child_wait(struct hatch_child *child, struct hatch_exit *exit)
{
	hatch_close(&child->user_end[0]);
	pthread_mutex_lock(&child->lock);
	while (child->stage != HATCH_STAGE_ENDED)
		pthread_cond_wait(&child->changed, &child->lock);
	*exit = child->exit;
	pthread_mutex_unlock(&child->lock);
}

bool hatch_child_try_wait(struct hatch_child *child, struct hatch_exit *exit)
{
	bool ended;

	pthread_mutex_lock(&child->lock);
	ended = child->stage == HATCH_STAGE_ENDED;
	if (ended)
		*exit = child->exit;
	pthread_mutex_unlock(&child->lock);
	return ended;
}

int hatch_child_fd(const struct hatch_child *child)
{
	return child->over;
}

void hatch_child_free(struct hatch_child *child)
{
	if (!child)
		return;
	if (child->thread) {
		hatch_child_destroy(child);
		pthread_join(child->thread, NULL);
	}
	for (int i = 0; i < HATCH_STREAMS; i++) {
		hatch_close(&child->user_end[i]);
		hatch_end_close(&child->end[i]);
		hatch_bytes_free(&child->bytes[i]);
	}
	hatch_end_close(&child->console);
	hatch_close(&child->wake);
	hatch_close(&child->over);
	hatch_plan_free(&child->plan);
	pthread_cond_destroy(&child->changed);
	pthread_mutex_destroy(&child->lock);
	free(child);
}
