/* SPDX-License-Identifier: MIT */
/* The guest's agent, played by a program of the host. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake.h"

/* ---- Frames ---- */

static void write_all(int fd, const void *data, size_t size)
{
	while (size) {
		ssize_t done = write(fd, data, size);

		if (done <= 0)
			_exit(0);
		data = (const char *)data + done;
		size -= (size_t)done;
	}
}

static void read_all(int fd, void *data, size_t size)
{
	while (size) {
		ssize_t done = read(fd, data, size);

		if (done <= 0)
			_exit(0);
		data = (char *)data + done;
		size -= (size_t)done;
	}
}

void fake_send(int port, uint32_t type, const void *data, uint32_t size)
{
	static _Thread_local char frame[8 + HATCH_AGENT_DATA_MOST];
	const uint32_t head[2] = { type, size };

	memcpy(frame, head, sizeof(head));
	if (size)
		memcpy(frame + sizeof(head), data, size);
	write_all(fake.port[port], frame, sizeof(head) + size);
}

uint32_t fake_receive(int port, void *data, uint32_t *size)
{
	uint32_t head[2];

	read_all(fake.port[port], head, sizeof(head));
	if (head[1] > HATCH_AGENT_SETUP_MOST)
		abort();
	read_all(fake.port[port], data, head[1]);
	*size = head[1];
	return head[0];
}

static void send_exit(uint32_t end, uint32_t code, const char *text)
{
	char data[500];

	memcpy(data, &end, 4);
	memcpy(data + 4, &code, 4);
	memcpy(data + 8, text, strlen(text));
	fake_send(HATCH_AGENT_CONTROL, HATCH_AGENT_EXITED, data, 8 + (uint32_t)strlen(text));
}

/* ---- SETUP ---- */

static void take(uint32_t key, const char *value, uint32_t size)
{
	char *text = strndup(value, size);

	if (key == HATCH_AGENT_ARGUMENT && fake.words < WORDS_MOST - 1)
		fake.word[fake.words++] = text;
	else if (key == HATCH_AGENT_ENVIRONMENT)
		putenv(text);
	else if (key == HATCH_AGENT_BARE)
		clearenv();
	else if (key == HATCH_AGENT_FOLDER)
		fake.folder = text;
	else if (key == HATCH_AGENT_MERGE)
		fake.merge = 1;
}

static void be_set_up(void)
{
	static char data[HATCH_AGENT_SETUP_MOST];
	const uint32_t version = HATCH_AGENT_VERSION;
	uint32_t size, type, key;

	fake_send(HATCH_AGENT_CONTROL, HATCH_AGENT_HELLO, &version, sizeof(version));
	while ((type = fake_receive(HATCH_AGENT_CONTROL, data, &size)) == HATCH_AGENT_SETUP) {
		memcpy(&key, data, sizeof(key));
		take(key, data + sizeof(key), size - 4);
	}
	if (type != HATCH_AGENT_START)
		abort();
}

/* ---- Streams: one thread each ---- */

static void *feed(void *unused)
{
	static char data[HATCH_AGENT_SETUP_MOST];
	uint32_t size;

	(void)unused;
	while (fake_receive(HATCH_AGENT_STDIN, data, &size) == HATCH_AGENT_DATA) {
		for (uint32_t at = 0; at < size;) {
			ssize_t done = write(fake.pipe[0], data + at, size - at);

			if (done < 0) {
				fake_send(HATCH_AGENT_STDIN, HATCH_AGENT_CLOSED, NULL, 0);
				size = 0;
			}
			at += done > 0 ? (uint32_t)done : 0;
		}
	}
	close(fake.pipe[0]);
	return NULL;
}

static void *drain(void *arg)
{
	int number = *(int *)arg, port = HATCH_AGENT_STDIN + number;
	static _Thread_local char data[HATCH_AGENT_DATA_MOST];
	ssize_t size = 1;

	while (fake.pipe[number] >= 0 && size > 0) {
		struct pollfd place[] = { { fake.pipe[number], POLLIN, 0 },
					  { fake.port[port], POLLIN, 0 } };

		poll(place, 2, -1);
		if (place[1].revents)
			break; /* CLOSED, or the end */
		size = read(fake.pipe[number], data, sizeof(data));
		if (size > 0)
			fake_send(port, HATCH_AGENT_DATA, data, (uint32_t)size);
	}
	if (fake.pipe[number] >= 0)
		close(fake.pipe[number]);
	fake_send(port, HATCH_AGENT_END, NULL, 0);
	return NULL;
}

static void *obey(void *unused)
{
	uint32_t number[2], size;

	(void)unused;
	for (;;) {
		if (fake_receive(HATCH_AGENT_CONTROL, number, &size) == HATCH_AGENT_SIGNAL &&
		    !getenv("FAKE_DEAF"))
			kill(-fake.pid, (int)number[0]);
	}
	return NULL;
}

/* ---- The command ---- */

static _Noreturn void become(const int in[2], const int out[2], const int err[2], int report)
{
	int error;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in[0], 0);
	dup2(out[1], 1);
	dup2(fake.merge ? out[1] : err[1], 2);
	for (int fd = 3; fd < 100; fd++) {
		if (fd != report)
			close(fd);
	}
	signal(SIGPIPE, SIG_DFL);
	if (fake.folder && chdir(fake.folder))
		_exit(1);
	execvp(fake.word[0], fake.word);
	error = errno;
	write_all(report, &error, sizeof(error));
	_exit(127);
}

static int start(void)
{
	int in[2], out[2], err[2], report[2], error = 0;

	if (pipe(in) || pipe(out) || pipe(err) || pipe2(report, O_CLOEXEC))
		abort();
	fake.pid = fork();
	if (!fake.pid)
		become(in, out, err, report[1]);
	setpgid(fake.pid, fake.pid);
	close(in[0]), close(out[1]), close(err[1]), close(report[1]);
	fake.pipe[0] = in[1], fake.pipe[1] = out[0], fake.pipe[2] = err[0];
	fcntl(in[1], F_SETFD, FD_CLOEXEC), fcntl(out[0], F_SETFD, FD_CLOEXEC);
	if (read(report[0], &error, sizeof(error)) < 0)
		abort();
	return error;
}

static void end(int error, int status)
{
	if (error)
		send_exit(error == ENOENT ? HATCH_AGENT_NO_COMMAND : HATCH_AGENT_NO_EXEC,
			  (uint32_t)error, "cannot run it:\n\033[31m no");
	else if (WIFSIGNALED(status))
		send_exit(HATCH_AGENT_SIGNALED, (uint32_t)WTERMSIG(status), "");
	else
		send_exit(HATCH_AGENT_CODE, (uint32_t)WEXITSTATUS(status), "");
}

static void run(void)
{
	static int numbers[] = { 0, 1, 2 };
	pthread_t feeder, obeyer, drainer[3];
	int status = 0, error = start();

	fake_send(HATCH_AGENT_CONTROL, HATCH_AGENT_STARTED, NULL, 0);
	pthread_create(&feeder, NULL, feed, NULL);
	pthread_create(&obeyer, NULL, obey, NULL);
	pthread_create(&drainer[1], NULL, drain, &numbers[1]);
	pthread_create(&drainer[2], NULL, drain, &numbers[2]);
	waitpid(fake.pid, &status, 0);
	pthread_join(drainer[1], NULL);
	pthread_join(drainer[2], NULL);
	end(error, status);
}

/* ---- What a guest that has gone bad might say ---- */

static void say_nonsense(const char *what)
{
	const uint32_t huge[] = { HATCH_AGENT_DATA, 0xffffffff }, odd[] = { 99, 0 };
	const uint32_t end[] = { 0, 0 }, empty[] = { HATCH_AGENT_DATA, 0 };
	static char data[70000];

	if (!strcmp(what, "huge"))
		write_all(fake.port[HATCH_AGENT_STDOUT], huge, sizeof(huge));
	else if (!strcmp(what, "odd"))
		write_all(fake.port[HATCH_AGENT_STDOUT], odd, sizeof(odd));
	else if (!strcmp(what, "empty"))
		write_all(fake.port[HATCH_AGENT_STDERR], empty, sizeof(empty));
	else if (!strcmp(what, "stdin"))
		write_all(fake.port[HATCH_AGENT_STDIN], odd, sizeof(odd));
	else if (!strcmp(what, "control"))
		write_all(fake.port[HATCH_AGENT_CONTROL], data, sizeof(data));
	else if (!strcmp(what, "short"))
		fake_send(HATCH_AGENT_CONTROL, HATCH_AGENT_EXITED, end, 4);
	else if (!strcmp(what, "hello-again"))
		fake_send(HATCH_AGENT_CONTROL, HATCH_AGENT_HELLO, end, 4);
	else if (!strcmp(what, "after-end")) {
		fake_send(HATCH_AGENT_STDOUT, HATCH_AGENT_END, NULL, 0);
		fake_send(HATCH_AGENT_STDOUT, HATCH_AGENT_DATA, data, 10);
	} else if (!strcmp(what, "no-end"))
		send_exit(HATCH_AGENT_CODE, 5, "");
	else if (!strcmp(what, "cut")) {
		write_all(fake.port[HATCH_AGENT_STDOUT], huge, 3);
		_exit(0);
	} else if (!strcmp(what, "dies")) {
		fake_send(HATCH_AGENT_STDOUT, HATCH_AGENT_DATA, "last words", 10);
		puts("hatch: Linux: an event that nobody caught");
		fflush(stdout);
		_exit(1);
	} else if (!strcmp(what, "setup"))
		send_exit(HATCH_AGENT_NO_SETUP, 2, "cannot mount /x");
	pause();
}

void fake_agent(void)
{
	const uint32_t other = HATCH_AGENT_VERSION + 1;

	if (getenv("FAKE_VERSION"))
		fake_send(HATCH_AGENT_CONTROL, HATCH_AGENT_HELLO, &other, sizeof(other));
	be_set_up();
	if (fake.words && !strncmp(fake.word[0], "fake:", 5))
		say_nonsense(fake.word[0] + 5);
	run();
}
