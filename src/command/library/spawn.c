/* SPDX-License-Identifier: MIT */
/* From a command to a child. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "child.h"
#include "machine.h"
#include "process.h"
#include "snapshot.h"

/* ---- Streams ---- */

static int open_pipe(struct hatch_child *child, int number, struct hatch_problem *problem)
{
	int ends[2];

	if (hatch_pipe(ends, problem))
		return problem->error;
	child->user_end[number] = ends[number == 0];
	child->end[number] = hatch_end_take(ends[number != 0]);
	return 0;
}

static int open_fd(struct hatch_child *child, int number, int fd, struct hatch_problem *problem)
{
	child->end[number] = hatch_end_of(fd, number != 0);
	/* A program without standard streams has none to inherit. */
	if (child->end[number].kind != HATCH_END_NONE || (fd == number && errno == EBADF))
		return 0;
	return hatch_problem_set(problem, HATCH_COMMAND_EINVAL,
				 "stream %d: the descriptor %d is of no use: %s; open it first",
				 number, fd, strerror(errno));
}

static int collect(struct hatch_child *child, int number, const struct hatch_bytes *bytes,
		   struct hatch_problem *problem)
{
	child->collects[number] = true;
	hatch_bytes_add(&child->bytes[number], bytes->data, bytes->size);
	return child->bytes[number].failed ? hatch_problem_memory(problem) : 0;
}

static int open_stream(struct hatch_child *child, const struct hatch_stream_choice *choice,
		       int number, struct hatch_problem *problem)
{
	switch ((int)choice->kind) {
	case HATCH_STDIO_PIPE:
		return open_pipe(child, number, problem);
	case HATCH_STDIO_FD:
		return open_fd(child, number, choice->fd, problem);
	case HATCH_STDIO_INHERIT:
		return open_fd(child, number, number, problem);
	case HATCH_STDIO_BYTES:
	case HATCH_STDIO_COLLECT:
		return collect(child, number, &choice->bytes, problem);
	default:
		return 0;
	}
}

static int open_streams(struct hatch_child *child, const struct hatch_command *command,
			struct hatch_problem *problem)
{
	for (int i = 0; i < HATCH_STREAMS; i++) {
		if (open_stream(child, &command->stream[i], i, problem))
			return problem->error;
	}
	if (command->console >= 0)
		child->console = hatch_end_of(command->console, true);
	return 0;
}

/* ---- The thread ---- */

static struct hatch_child *new_child(void)
{
	struct hatch_child *child = calloc(1, sizeof(*child));

	if (!child)
		return NULL;
	for (int i = 0; i < HATCH_STREAMS; i++) {
		child->user_end[i] = -1;
		child->end[i] = (struct hatch_end){ HATCH_END_NONE, -1, false };
	}
	child->console = (struct hatch_end){ HATCH_END_NONE, -1, false };
	child->plan.image_lock = child->plan.persist_lock = -1;
	child->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	child->over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&child->lock, NULL);
	pthread_cond_init(&child->changed, NULL);
	return child;
}

/* No signal of the program is to be delivered to it. */
static int start_thread(struct hatch_child *child, struct hatch_problem *problem)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&child->thread, NULL, hatch_life, child);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		return 0;
	child->thread = 0;
	return hatch_problem_set(problem, HATCH_COMMAND_ERESOURCE,
				 "cannot make a thread: %s; close some programs", strerror(error));
}

/* Until QEMU runs, or it is clear that this takes a while, or it has failed. */
static int wait_for_start(struct hatch_child *child, struct hatch_problem *problem)
{
	pthread_mutex_lock(&child->lock);
	while (child->stage == HATCH_STAGE_BEGINS)
		pthread_cond_wait(&child->changed, &child->lock);
	if (child->problem.error)
		*problem = child->problem;
	pthread_mutex_unlock(&child->lock);
	return problem->error;
}

static int set_up(struct hatch_child *child, const struct hatch_command *command,
		  struct hatch_problem *problem)
{
	if (child->wake < 0 || child->over < 0)
		return hatch_problem_set(problem, HATCH_COMMAND_ERESOURCE,
					 "no descriptors left: raise the limit (ulimit -n), or "
					 "close some files");
	child->deadline = INT64_MAX;
	if (command->timeout > 0)
		child->deadline = hatch_now() + (int64_t)(command->timeout * 1e9);
	if (hatch_plan_make(&child->plan, command, problem) ||
	    open_streams(child, command, problem) || start_thread(child, problem))
		return problem->error;
	return wait_for_start(child, problem);
}

int hatch_command_spawn(struct hatch_command *command, struct hatch_child **child)
{
	struct hatch_problem *problem = &command->problem;

	*problem = (struct hatch_problem){ 0 };
	*child = new_child();
	if (!*child)
		return hatch_problem_memory(problem);
	if (!set_up(*child, command, problem))
		return 0;
	hatch_child_free(*child);
	*child = NULL;
	return problem->error;
}

int hatch_command_status(struct hatch_command *command, struct hatch_exit *exit)
{
	struct hatch_child *child;
	int error = hatch_command_spawn(command, &child);

	*exit = (struct hatch_exit){ 0 };
	if (error)
		return error;
	hatch_child_wait(child, exit);
	hatch_child_free(child);
	return 0;
}

int hatch_exit_code(const struct hatch_exit *exit)
{
	switch (exit->kind) {
	case HATCH_EXIT_CODE:
		return exit->value & 0xff;
	case HATCH_EXIT_SIGNALED:
		return 128 + exit->value;
	case HATCH_EXIT_TIMED_OUT:
		return 124;
	case HATCH_EXIT_NO_EXEC:
		return 126;
	case HATCH_EXIT_NO_COMMAND:
		return 127;
	default:
		return 125;
	}
}

/* ---- Without running it ---- */

/* One block, so that one free() does. */
static char **pack(const struct hatch_words *words)
{
	size_t size = (words->count + 1) * sizeof(char *);
	char **list, *to;

	for (size_t i = 0; i < words->count; i++)
		size += strlen(words->item[i]) + 1;
	list = malloc(size);
	if (!list)
		return NULL;
	to = (char *)(list + words->count + 1);
	for (size_t i = 0; i < words->count; i++) {
		list[i] = to;
		to = stpcpy(to, words->item[i]) + 1;
	}
	list[words->count] = NULL;
	return list;
}

char **hatch_command_words(struct hatch_command *command)
{
	struct hatch_machine_start start = { .port = { 3, 4, 5, 6 }, .snapshot_size = 0 };
	struct hatch_problem *problem = &command->problem;
	struct hatch_words words = { 0 };
	struct hatch_plan plan;
	char **list = NULL;

	*problem = (struct hatch_problem){ 0 };
	if (!hatch_plan_make(&plan, command, problem)) {
		if (!plan.console && !plan.gdb)
			start.snapshot_size = hatch_snapshot_size(&plan);
		if (start.snapshot_size)
			start.snapshot = "/proc/self/fd/7";
		if (!hatch_machine_words(&plan, &start, &words, problem) && !(list = pack(&words)))
			hatch_problem_memory(problem);
	}
	hatch_words_free(&words);
	hatch_plan_free(&plan);
	return list;
}
