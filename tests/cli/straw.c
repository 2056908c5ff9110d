/* SPDX-License-Identifier: MIT */
/* Starting a process of straw, and the words that tell what was described. */
#include "straw.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

char **hatch_command_words(struct hatch_command *command)
{
	static const char *const how[] = { "ro", "rw", "overlay" };
	struct hatch_words words = { 0 };
	const char *const texts[] = { "folder",	 command->folder,   "user",	command->user,
				      "host",	 command->hostname, "image",	command->image,
				      "persist", command->persist,  "kernel",	command->kernel,
				      "qemu",	 command->qemu,	    "firmware", command->firmware };

	if (command->complaint.error) {
		command->problem = command->complaint;
		return NULL;
	}
	hatch_words_add(&words, "straw");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i += 2) {
		if (texts[i + 1])
			hatch_words_add(&words, "%s=%s", texts[i], texts[i + 1]);
	}
	for (size_t i = 0; i < command->environment.count; i++)
		hatch_words_add(&words, "env=%s", command->environment.item[i]);
	for (size_t i = 0; i < command->mounts; i++)
		hatch_words_add(&words, "%s=%s,%s", how[command->mount[i].how],
				command->mount[i].host, command->mount[i].guest);
	for (size_t i = 0; i < command->forwards; i++)
		hatch_words_add(&words, "%s=%u,%u", command->forward[i].protocol ? "udp" : "tcp",
				command->forward[i].host, command->forward[i].guest);
	hatch_words_add(&words, "%lluM*%u%s%s%s", (unsigned long long)command->memory >> 20,
			command->cpus, command->network ? ",net" : "", command->gdb ? ",gdb" : "",
			command->console >= 0 ? ",console" : "");
	if (command->timeout > 0)
		hatch_words_add(&words, "timeout=%g", command->timeout);
	hatch_words_take(&words, &command->arguments);
	return words.item;
}

/* ---- The process ---- */

static void set_terminal(const struct hatch_command *command, int master)
{
	struct winsize size = { .ws_row = (unsigned short)command->rows,
				.ws_col = (unsigned short)command->columns };
	int slave = open(ptsname(master), O_RDWR);

	ioctl(slave, TIOCSCTTY, 0);
	ioctl(slave, TIOCSWINSZ, &size);
	for (int i = 0; i < HATCH_STREAMS; i++)
		dup2(slave, i);
	setenv("TERM", command->term, 1);
	close(slave);
}

static _Noreturn void become(const struct hatch_command *command, int input, int master, int report)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (input >= 0)
		dup2(input, STDIN_FILENO);
	if (master >= 0)
		set_terminal(command, master);
	for (size_t i = 0; i < command->environment.count; i++)
		putenv(command->environment.item[i]);
	if (!command->folder || !chdir(command->folder))
		execvp(command->arguments.item[0], command->arguments.item);
	if (write(report, &errno, sizeof(errno)) < 0)
		_exit(125);
	_exit(127);
}

/* ---- Its threads ---- */

static void move(int from, int to)
{
	char block[4096];
	ssize_t size;

	while ((size = read(from, block, sizeof(block))) > 0 && write(to, block, (size_t)size) > 0)
		;
}

static void *move_out(void *arg)
{
	move(((struct hatch_child *)arg)->master, STDOUT_FILENO);
	return NULL;
}

static void *move_in(void *arg)
{
	struct hatch_child *child = arg;

	move(child->keys, child->master);
	close(child->keys);
	return NULL;
}

static void *watch(void *arg)
{
	struct hatch_child *child = arg;
	struct timespec time = { .tv_sec = (time_t)child->timeout,
				 .tv_nsec = (long)(child->timeout * 1e9) % 1000000000 };

	nanosleep(&time, NULL);
	atomic_store(&child->timed_out, true);
	kill(-child->pid, SIGKILL);
	return NULL;
}

static void start_threads(struct hatch_child *child)
{
	if (child->master >= 0) {
		pthread_create(&child->out, NULL, move_out, child);
		pthread_create(&child->in, NULL, move_in, child);
		pthread_detach(child->in);
	}
	if (child->timeout > 0) {
		pthread_create(&child->watch, NULL, watch, child);
		pthread_detach(child->watch);
	}
}

/* ---- Spawning ---- */

/* STRAW_TELL: what to tell of progress. STRAW_FAIL: that nothing can be started. */
static int refuse(struct hatch_command *command)
{
	if (command->complaint.error) {
		command->problem = command->complaint;
		return command->problem.error;
	}
	if (getenv("STRAW_TELL") && command->tell) {
		command->tell(command->tell_arg, getenv("STRAW_TELL"));
		command->tell(command->tell_arg, "");
	}
	if (getenv("STRAW_FAIL"))
		return hatch_problem_set(&command->problem, HATCH_COMMAND_ENOENT, "%s",
					 getenv("STRAW_FAIL"));
	return 0;
}

static void open_streams(const struct hatch_command *command, struct hatch_child *child)
{
	int ends[2] = { -1, -1 };

	if (command->term) {
		child->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
		grantpt(child->master);
		unlockpt(child->master);
	}
	if (command->stream[0].kind == HATCH_STDIO_PIPE && !pipe2(ends, O_CLOEXEC)) {
		child->keys = ends[0];
		child->input = ends[1];
	}
}

int hatch_command_spawn(struct hatch_command *command, struct hatch_child **result)
{
	int error = refuse(command);
	struct hatch_child *child;
	int report[2];

	*result = NULL;
	if (error)
		return error;
	child = calloc(1, sizeof(*child));
	child->master = child->input = child->keys = -1;
	child->timeout = command->timeout;
	open_streams(command, child);
	if (pipe2(report, O_CLOEXEC))
		return HATCH_COMMAND_ERESOURCE;
	child->pid = fork();
	if (!child->pid)
		become(command, child->keys, child->master, report[1]);
	close(report[1]);
	if (read(report[0], &child->error, sizeof(child->error)) < 0)
		child->error = EIO;
	close(report[0]);
	child->fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	start_threads(child);
	*result = child;
	return 0;
}
