/* SPDX-License-Identifier: MIT */
#include "attend.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "keys.h"
#include "progress.h"
#include "registry.h"
#include "report.h"
#include "session.h"

static struct {
	struct hatch_child *child;
	int signals; /* a descriptor */
	bool terminal;
	bool killed;	    /* by a second interrupt */
	double interrupted; /* when, seconds; 0: never */
	struct hatch_keys keys;
} attended;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- Beginning ---- */

static void collect_signals(sigset_t *set)
{
	static const int passed[] = { SIGINT,  SIGTERM, SIGHUP,	 SIGQUIT,
				      SIGUSR1, SIGUSR2, SIGCONT, SIGTSTP };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		sigaddset(set, passed[i]);
	if (attended.terminal)
		sigaddset(set, SIGWINCH);
	sigaddset(set, HATCH_SIGNAL_PASS);
	/* Not passed on: who reads the terminal in the background is refused then, not stopped. */
	sigaddset(set, SIGTTIN);
}

void hatch_attend_begin(bool terminal)
{
	sigset_t set;

	attended.terminal = terminal;
	if (terminal && !isatty(STDIN_FILENO))
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "-t: standard input is no terminal: leave out -t");
	collect_signals(&set);
	attended.signals = hatch_session_signals(&set);
	if (terminal && !hatch_session_terminal())
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "-t: cannot set the terminal: %m; leave out -t");
}

static struct winsize terminal_size(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		return (struct winsize){ .ws_row = 24, .ws_col = 80 };
	return size;
}

void hatch_attend_terminal(struct hatch_command *command)
{
	const char *term = getenv("TERM");
	struct winsize size = terminal_size();

	hatch_command_terminal(command, term && *term ? term : "dumb", size.ws_row, size.ws_col);
	hatch_command_stdin(command, (struct hatch_stdio){ .kind = HATCH_STDIO_PIPE });
}

/* ---- Signals ---- */

static void resize(void)
{
	struct winsize size = terminal_size();

	hatch_child_resize(attended.child, size.ws_row, size.ws_col);
}

/* The first one is the command's; who insists within a second gets rid of the machine. */
static void interrupt(void)
{
	double time = now();

	if (attended.interrupted && time - attended.interrupted < 1) {
		attended.killed = true;
		hatch_child_destroy(attended.child);
	}
	attended.interrupted = time;
}

/*
 * The command rests while we do. Not by SIGTSTP: Linux lets nobody be stopped by that whom no shell
 * of his own session could wake up again.
 */
static void stop(void)
{
	hatch_child_kill(attended.child, SIGSTOP);
	hatch_session_stop();
	hatch_child_kill(attended.child, SIGCONT);
	if (attended.terminal)
		resize();
}

static void on_signal(const struct signalfd_siginfo *info)
{
	int number = (int)info->ssi_signo;

	if (number == SIGTTIN)
		return;
	if (number == HATCH_SIGNAL_PASS) {
		if (info->ssi_code == SI_QUEUE)
			hatch_child_kill(attended.child, info->ssi_int);
	} else if (number == SIGTSTP) {
		stop();
	} else if (number == SIGWINCH) {
		resize();
	} else {
		hatch_child_kill(attended.child, number);
		if (number == SIGINT)
			interrupt();
	}
}

static void take_signals(void)
{
	struct signalfd_siginfo info;

	while (read(attended.signals, &info, sizeof(info)) == sizeof(info))
		on_signal(&info);
}

/* ---- Until the end ---- */

/* Waits for something to do, and does it. False once the child has ended. */
static bool step(void)
{
	struct pollfd wait[] = {
		{ .fd = hatch_child_fd(attended.child), .events = POLLIN },
		{ .fd = attended.signals, .events = POLLIN },
		{ .fd = hatch_keys_source(&attended.keys), .events = POLLIN },
		{ .fd = hatch_keys_sink(&attended.keys), .events = POLLOUT },
	};

	if (poll(wait, sizeof(wait) / sizeof(wait[0]), -1) < 0)
		return errno == EINTR;
	if (wait[0].revents)
		return false;
	if (wait[1].revents)
		take_signals();
	if (wait[2].revents && hatch_keys_read(&attended.keys))
		interrupt();
	if (wait[3].revents)
		hatch_keys_write(&attended.keys);
	return true;
}

/* Whatever the command's own code, one that ended by insistence is one that was interrupted. */
static int status_of(const struct hatch_exit *end)
{
	if (attended.killed && !attended.terminal)
		hatch_session_die(SIGINT);
	if (attended.killed)
		return 128 + SIGKILL;
	if (*end->problem)
		hatch_report_note("%s", end->problem);
	return hatch_exit_code(end);
}

int hatch_attend(struct hatch_child *child)
{
	struct hatch_exit end;

	attended.child = child;
	attended.keys = (struct hatch_keys){ .from = -1, .to = -1 };
	if (attended.terminal)
		hatch_keys_begin(&attended.keys, STDIN_FILENO, hatch_child_take_stdin(child));
	while (step())
		;
	hatch_child_wait(child, &end);
	hatch_keys_end(&attended.keys);
	hatch_child_free(child);
	if (*end.problem)
		hatch_progress_end();
	hatch_session_end();
	return status_of(&end);
}
