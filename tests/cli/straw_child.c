/* SPDX-License-Identifier: MIT */
/* A process of straw while it runs, and its end. */
#include "straw.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

int hatch_exit_code(const struct hatch_exit *exit)
{
	static const int code[] = { [HATCH_EXIT_TIMED_OUT] = 124,
				    [HATCH_EXIT_NO_EXEC] = 126,
				    [HATCH_EXIT_NO_COMMAND] = 127,
				    [HATCH_EXIT_NO_MACHINE] = 125 };

	if (exit->kind == HATCH_EXIT_CODE)
		return exit->value;
	return exit->kind == HATCH_EXIT_SIGNALED ? 128 + exit->value : code[exit->kind];
}

pid_t hatch_child_id(const struct hatch_child *child)
{
	return child->pid;
}

int hatch_child_take_stdin(struct hatch_child *child)
{
	int fd = child->input;

	child->input = -1;
	return fd;
}

int hatch_child_take_stdout(struct hatch_child *child)
{
	(void)child;
	return HATCH_COMMAND_ESTALE;
}

int hatch_child_take_stderr(struct hatch_child *child)
{
	(void)child;
	return HATCH_COMMAND_ESTALE;
}

int hatch_child_kill(struct hatch_child *child, int number)
{
	return kill(-child->pid, number) && errno == EINVAL ? HATCH_COMMAND_EINVAL : 0;
}

void hatch_child_resize(struct hatch_child *child, unsigned int rows, unsigned int columns)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	ioctl(child->master, TIOCSWINSZ, &size);
}

void hatch_child_destroy(struct hatch_child *child)
{
	kill(-child->pid, SIGKILL);
}

int hatch_child_fd(const struct hatch_child *child)
{
	return child->fd;
}

/* STRAW_LOST: the machine was ended from outside. */
static struct hatch_exit end_of(const struct hatch_child *child, int status)
{
	struct hatch_exit end = { .kind = HATCH_EXIT_CODE, .value = WEXITSTATUS(status) };

	if (WIFSIGNALED(status))
		end = (struct hatch_exit){ .kind = HATCH_EXIT_SIGNALED, .value = WTERMSIG(status) };
	if (child->timed_out)
		end = (struct hatch_exit){ .kind = HATCH_EXIT_TIMED_OUT,
					   .problem = "no end in time" };
	if (child->error)
		end = (struct hatch_exit){ .kind = child->error == ENOENT ? HATCH_EXIT_NO_COMMAND
									  : HATCH_EXIT_NO_EXEC,
					   .value = child->error,
					   .problem = "no such command" };
	if (getenv("STRAW_LOST"))
		end = (struct hatch_exit){ .kind = HATCH_EXIT_NO_MACHINE,
					   .problem = "the machine was ended from outside" };
	return end;
}

void hatch_child_wait(struct hatch_child *child, struct hatch_exit *exit)
{
	int status = 0;

	if (!child->ended) {
		while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
			;
		if (child->master >= 0)
			pthread_join(child->out, NULL);
		child->end = end_of(child, status);
		child->ended = true;
	}
	*exit = child->end;
}

bool hatch_child_try_wait(struct hatch_child *child, struct hatch_exit *exit)
{
	*exit = child->end;
	return child->ended;
}

/* Its threads may be looking at it still: the program ends soon. */
void hatch_child_free(struct hatch_child *child)
{
	(void)child;
}
