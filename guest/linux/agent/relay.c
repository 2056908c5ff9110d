/* SPDX-License-Identifier: MIT */
/* What passes while the command runs, and how it ends. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "stream.h"

/* In the list of what is polled. */
enum { ON_CONTROL, ON_CHILD, ON_IN, ON_OUT = ON_IN + 2, ON_ERR = ON_OUT + 2, ON_ALL = ON_ERR + 2 };

static struct relay {
	const struct setup *setup;
	struct child *child;
	struct inbox *control;
	struct problem *problem;
	struct inflow in;
	struct outflow out, err;
	int signals;
	bool ended, bad;
	int power; /* what reboot() is to be told in the end; 0: nothing */
} relay;

static void end_streams(struct relay *r)
{
	r->ended = true;
	inflow_close(&r->in);
	outflow_finish(&r->out, !r->setup->terminal);
	outflow_finish(&r->err, true);
}

static void end_bad(struct relay *r, const char *what)
{
	if (r->bad)
		return;
	r->bad = r->out.deaf = r->err.deaf = true;
	r->problem->end = HATCH_AGENT_BAD_REQUEST;
	r->problem->code = EPROTO;
	snprintf(r->problem->text, sizeof(r->problem->text),
		 "the agent got a frame that makes no "
		 "sense: %s",
		 what);
	kill(-1, SIGKILL);
	r->in.port = -1;
	end_streams(r);
}

static void end_well(struct relay *r, int status)
{
	bool killed = WIFSIGNALED(status);

	if (!r->bad)
		*r->problem = (struct problem){
			.end = killed ? HATCH_AGENT_SIGNALED : HATCH_AGENT_CODE,
			.code = (uint32_t)(killed ? WTERMSIG(status) : WEXITSTATUS(status)),
		};
	end_streams(r);
}

/* As an init does: all programs end, and what they wrote is passed on. */
static void end_power(struct relay *r, int how)
{
	r->power = how;
	kill(-1, SIGKILL);
	end_streams(r);
}

/* Whether there was any. */
static bool read_signals(struct relay *r)
{
	struct signalfd_siginfo info;
	bool any = false;

	while (read(r->signals, &info, sizeof(info)) > 0) {
		any = true;
		if (power_of((int)info.ssi_signo) && !r->power)
			end_power(r, power_of((int)info.ssi_signo));
	}
	return any;
}

/* The command, and all whose parents have gone. */
static void reap(struct relay *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != r->child->pid)
			continue;
		if (!WIFSTOPPED(status))
			end_well(r, status);
		else if (WSTOPSIG(status) == SIGTSTP)
			kill(-pid, SIGCONT); /* nobody is there who could say fg */
	}
}

/* Nobody looks at the terminal any more: who is at it gets what the end of a real one would send. */
static void hang_up(struct relay *r)
{
	pid_t front;

	if (r->in.sink < 0)
		return;
	if (!r->ended) {
		if (!ioctl(r->in.sink, TIOCGPGRP, &front) && front > 1)
			kill(-front, SIGHUP);
		kill(-r->child->pid, SIGHUP);
		kill(-r->child->pid, SIGCONT);
	}
	inflow_close(&r->in);
}

static void resize(struct relay *r, const struct frame *frame)
{
	const struct winsize size = {
		.ws_row = (unsigned short)frame_u16(frame->data),
		.ws_col = (unsigned short)frame_u16(frame->data + 2),
	};

	if (r->setup->terminal)
		ioctl(r->child->terminal, TIOCSWINSZ, &size);
}

static void obey(struct relay *r, const struct frame *frame)
{
	uint32_t number;

	if (frame->size != 4) {
		end_bad(r, "its size");
	} else if (frame->type == HATCH_AGENT_RESIZE) {
		resize(r, frame);
	} else if (frame->type == HATCH_AGENT_SIGNAL) {
		number = frame_u32(frame->data);
		if (number == 0 || number >= NSIG)
			end_bad(r, "a signal that Linux does not have");
		else if (!r->ended)
			kill(-r->child->pid, (int)number);
	} else {
		end_bad(r, "not of a command that runs");
	}
}

static void read_control(struct relay *r)
{
	enum frame_found found = FRAME_NONE;
	struct frame frame;
	ssize_t got = inbox_fill(r->control, ports[HATCH_AGENT_CONTROL]);

	if (!got)
		finisher_end(0, NULL); /* nobody is there whom it matters to */
	while (!r->bad && (found = frame_next(r->control, 4, &frame)) == FRAME_WHOLE)
		obey(r, &frame);
	if (found == FRAME_BAD)
		end_bad(r, "its size");
}

static void check(struct relay *r, enum stream_state state, const char *name)
{
	if (state == STREAM_BAD)
		end_bad(r, name);
	if (state == STREAM_LOST)
		finisher_end(125, "a port is gone");
}

static void step(struct relay *r)
{
	check(r, inflow_step(&r->in), "of standard input");
	check(r, outflow_step(&r->out), "of standard output");
	check(r, outflow_step(&r->err), "of standard error");
	if (r->setup->terminal && r->out.source < 0)
		hang_up(r);
}

static bool is_over(const struct relay *r)
{
	return r->ended && r->out.done && r->err.done;
}

static void wait_for_more(struct relay *r)
{
	struct pollfd wait[ON_ALL] = {
		[ON_CONTROL] = { r->bad ? -1 : ports[HATCH_AGENT_CONTROL], POLLIN, 0 },
		[ON_CHILD] = { r->signals, POLLIN, 0 },
	};
	int ready;

	inflow_wait(&r->in, wait + ON_IN);
	outflow_wait(&r->out, wait + ON_OUT);
	outflow_wait(&r->err, wait + ON_ERR);
	ready = poll(wait, ON_ALL, r->in.sink >= 0 && r->in.pause ? r->in.pause : -1);
	if (!ready)
		inflow_type_again(&r->in);
	if (ready <= 0)
		return;
	if (wait[ON_IN].revents & POLLERR)
		inflow_close(&r->in);
	while (wait[ON_CHILD].revents && read_signals(r)) /* a signal, and its sender's end */
		reap(r);
	if (wait[ON_CONTROL].revents)
		read_control(r);
}

static void begin(struct relay *r)
{
	sigset_t all;

	power_signals(&all);
	r->signals = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
	inflow_init(&r->in, ports[HATCH_AGENT_STDIN], r->child->in, r->setup->terminal);
	outflow_init(&r->out, r->child->out, ports[HATCH_AGENT_STDOUT]);
	outflow_init(&r->err, r->child->err, ports[HATCH_AGENT_STDERR]);
	if (r->child->pid <= 0)
		end_streams(r);
}

int relay_run(const struct setup *setup, struct child *child, struct inbox *control,
	      struct problem *problem)
{
	struct relay *r = &relay;

	r->setup = setup;
	r->child = child;
	r->control = control;
	r->problem = problem;
	begin(r);
	step(r);
	while (!is_over(r)) {
		wait_for_more(r);
		step(r);
	}
	return r->power;
}
