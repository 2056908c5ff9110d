/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "report.h"

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCHLD };

/* One session per process, as terminal and exit handlers are the process's own. */
static struct {
	volatile sig_atomic_t deadly; /* the signal to die of, 0 if none */
	volatile sig_atomic_t stop;   /* a SIGTSTP is to be obeyed */
	sigset_t mask;		      /* as it was before hatch_session_begin() */
	bool raw;
	struct termios terminal; /* as it was; valid if raw */
	pid_t child;		 /* also its process group; 0 if none */
	char *folder;		 /* NULL if none was needed */
} session;

static void note_signal(int number)
{
	if (number == SIGTSTP)
		session.stop = 1;
	else if (number != SIGCHLD)
		session.deadly = number;
}

static void restore_terminal(void)
{
	if (session.raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &session.terminal);
	session.raw = false;
}

static void remove_folder(void)
{
	DIR *folder = session.folder ? opendir(session.folder) : NULL;
	struct dirent *entry;

	if (!folder)
		return;
	while ((entry = readdir(folder)))
		unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	rmdir(session.folder);
	session.folder = NULL;
}

void hatch_session_end(void)
{
	if (session.child) {
		kill(-session.child, SIGKILL);
		waitpid(session.child, NULL, 0);
		session.child = 0;
	}
	restore_terminal();
	remove_folder();
}

static void end_of_program(void)
{
	hatch_session_end();
	if (!session.deadly)
		return;
	signal(session.deadly, SIG_DFL);
	raise(session.deadly);
	sigprocmask(SIG_SETMASK, &session.mask, NULL);
}

void hatch_session_begin(void)
{
	struct sigaction action = { .sa_handler = note_signal };
	struct sigaction before;
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		/* A signal that our caller ignores (nohup, a shell's background) stays so. */
		sigaction(caught[i], NULL, &before);
		if (before.sa_handler == SIG_IGN && caught[i] != SIGCHLD)
			continue;
		sigaddset(&blocked, caught[i]);
		sigaction(caught[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &blocked, &session.mask);
	atexit(end_of_program);
}

int hatch_session_signals(const sigset_t *wanted)
{
	struct sigaction before;
	sigset_t set = *wanted;
	int fd;

	for (int i = 1; i <= SIGRTMAX; i++) {
		if (sigismember(&set, i) == 1 && !sigaction(i, NULL, &before) &&
		    before.sa_handler == SIG_IGN)
			sigdelset(&set, i);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, &session.mask);
	atexit(end_of_program);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot open a descriptor for signals: %m; close some programs");
	return fd;
}

void hatch_session_die(int number)
{
	session.deadly = number;
	exit(128 + number);
}

const sigset_t *hatch_session_mask(void)
{
	return &session.mask;
}

/* The shell gets its own terminal back for as long as we are stopped. */
void hatch_session_stop(void)
{
	bool raw = session.raw;

	session.stop = 0;
	restore_terminal();
	if (session.child)
		kill(-session.child, SIGSTOP);
	raise(SIGSTOP);
	if (session.child)
		kill(-session.child, SIGCONT);
	if (raw)
		hatch_session_terminal();
}

void hatch_session_check(void)
{
	if (session.deadly)
		exit(128 + session.deadly);
	if (session.stop)
		hatch_session_stop();
}

char *hatch_session_path(const char *name)
{
	const char *parent = getenv("TMPDIR");

	if (!session.folder) {
		char *template;

		if (!parent || !*parent)
			parent = "/tmp";
		template = hatch_text_format("%s/hatch-XXXXXX", parent);
		if (!mkdtemp(template))
			hatch_report_fail(HATCH_EXIT_FAILED,
					  "cannot make a folder in %s: %m; free the disk or set "
					  "TMPDIR",
					  parent);
		session.folder = template;
	}
	return hatch_text_format("%s/%s", session.folder, name);
}

/* A program that breaks down must not leave a terminal that nobody can type at. */
static void restore_and_crash(int number)
{
	restore_terminal();
	raise(number); /* its default, from when this handler has returned */
}

static void catch_crashes(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
	struct sigaction action = { .sa_handler = restore_and_crash, .sa_flags = SA_RESETHAND };

	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
}

bool hatch_session_terminal(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &session.terminal))
		return false;
	catch_crashes();
	raw = session.terminal;
	cfmakeraw(&raw);
	session.raw = true;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	return true;
}

void hatch_session_child(pid_t pid)
{
	session.child = pid;
}
