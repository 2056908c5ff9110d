/* SPDX-License-Identifier: MIT */
/*
 * Process 1 of a Linux guest that is there for one command: docs/agent.md. It boots until there is
 * nothing left that could be done ahead, is saved, and goes on when somebody has a command for it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

enum { ALL_DEAD_STEPS = 1000 }; /* ms that processes have to end */

static unsigned char control_bytes[2 * (FRAME_HEADER + HATCH_AGENT_SETUP_MOST)];
static struct inbox control = { .bytes = control_bytes, .room = sizeof(control_bytes) };

static void on_fault(int number)
{
	(void)number;
	finisher_end(125, "met a fault of its own");
}

/* If process 1 ends the kernel panics, and nobody learns why. */
static void set_signals(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	sigset_t read_later;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		signal(faults[i], on_fault);
	signal(SIGPIPE, SIG_IGN);
	power_signals(&read_later);
	sigprocmask(SIG_BLOCK, &read_later, NULL);
}

static int refuse(struct problem *problem, const char *why)
{
	problem->end = HATCH_AGENT_BAD_REQUEST;
	problem->code = EPROTO;
	snprintf(problem->text, sizeof(problem->text), "%s", why);
	return -1;
}

/* Waits for the next frame, however long it takes. */
static enum frame_found next_frame(struct frame *frame)
{
	struct pollfd wait = { ports[HATCH_AGENT_CONTROL], POLLIN, 0 };
	enum frame_found found;

	while ((found = frame_next(&control, HATCH_AGENT_SETUP_MOST, frame)) == FRAME_NONE) {
		poll(&wait, 1, -1);
		if (!inbox_fill(&control, wait.fd))
			finisher_end(0, NULL); /* the host has gone */
	}
	return found;
}

static int read_setup(struct setup *setup, struct problem *problem)
{
	const char *why = NULL;
	struct frame frame;

	while (!why) {
		if (next_frame(&frame) == FRAME_BAD)
			return refuse(problem, "a frame is too long");
		if (frame.type == HATCH_AGENT_START && !frame.size)
			break;
		if (frame.type != HATCH_AGENT_SETUP)
			return refuse(problem, "neither SETUP nor START came first");
		why = setup_add(setup, frame.data, frame.size);
	}
	why = why ? why : setup_check(setup);
	return why ? refuse(problem, why) : 0;
}

static int start(struct setup *setup, struct child *child, struct problem *problem)
{
	if (read_setup(setup, problem) || apply_setup(setup, problem))
		return -1;
	if (setup->too_long) {
		errno = E2BIG;
		problem_set(problem, "%s", setup->arguments.word[0]);
		problem->end = HATCH_AGENT_NO_EXEC;
		return -1;
	}
	return child_start(setup, child, problem);
}

/* What they still do would be lost, or half done. */
static void end_processes(void)
{
	const struct timespec step = { .tv_nsec = 1000000 };
	pid_t pid;

	kill(-1, SIGKILL);
	for (int i = 0; i < ALL_DEAD_STEPS; i++) {
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0)
			return;
		nanosleep(&step, NULL);
	}
}

static void tell_end(const struct problem *problem)
{
	unsigned char data[8 + sizeof(problem->text)], *text;
	size_t size = strlen(problem->text);

	text = frame_put_u32(frame_put_u32(data, problem->end), problem->code);
	memcpy(text, problem->text, size);
	ports_send(HATCH_AGENT_EXITED, data, (uint32_t)(8 + size));
}

/* The host switches the machine off; or it has gone, and nobody does. */
_Noreturn static void wait_for_end(void)
{
	struct pollfd wait = { ports[HATCH_AGENT_CONTROL], POLLIN, 0 };

	do {
		control.start = control.end;
		poll(&wait, 1, -1);
	} while (inbox_fill(&control, wait.fd));
	finisher_end(0, NULL);
}

static void say_hello(void)
{
	unsigned char version[4];

	frame_put_u32(version, HATCH_AGENT_VERSION);
	ports_send(HATCH_AGENT_HELLO, version, sizeof(version));
}

int main(void)
{
	static struct setup setup;
	static struct problem problem;
	struct child child = { .in = -1, .out = -1, .err = -1, .terminal = -1 };
	int how;

	set_signals();
	boot_prepare();
	setup_init(&setup);
	ports_open();
	say_hello();
	if (!start(&setup, &child, &problem))
		ports_send(HATCH_AGENT_STARTED, NULL, 0);
	how = relay_run(&setup, &child, &control, &problem);
	end_processes();
	root_leave();
	if (how)
		power_end(how);
	tell_end(&problem);
	wait_for_end();
}
