/* SPDX-License-Identifier: MIT */
/*
 * Stands in for QEMU and all that would run in it: takes the descriptors of its words, speaks as the
 * guest's agent does, and runs the command here, as a process. FAKE names what is to go wrong;
 * commands that begin with "fake:" do so later. A line of FAKE_LOG's file tells of each start.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hatch/agent.h>

#include "fake.h"

struct fake fake;

/* ---- What QEMU is told ---- */

static const char *value_of(char **words, const char *option)
{
	for (; *words; words++) {
		if (!strcmp(*words, option) && words[1])
			return words[1];
	}
	return "";
}

static void find_ports(char **words)
{
	int number, fd;

	for (; *words; words++) {
		if (sscanf(*words, "socket,id=port%d,fd=%d", &number, &fd) == 2 && number > 0 &&
		    number < HATCH_AGENT_PORTS)
			fake.port[number] = fd;
	}
}

static int is(const char *what)
{
	const char *name = getenv("FAKE");

	return name && !strcmp(name, what);
}

static void log_start(const char *line)
{
	const char *file = getenv("FAKE_LOG");
	int fd = file ? open(file, O_WRONLY | O_APPEND | O_CREAT, 0666) : -1;
	const char *word = strstr(line, "hatch.blob=save") ? "template\n"
			   : strstr(line, "snapshot")	   ? "loaded\n"
							   : "booted\n";

	if (fd < 0 || write(fd, word, strlen(word)) < 0)
		return;
	close(fd);
}

/* ---- The template ---- */

static _Noreturn void save(char **words, const char *blob)
{
	const char *path = strstr(value_of(words, "-object"), "mem-path=");
	unsigned long long at, room;
	char file[64], *body = calloc(1, 1 << 20);
	uint64_t size = 1 << 20;
	int fd;

	sscanf(blob, "hatch.blob=save,%llx,%llu", &at, &room);
	snprintf(file, sizeof(file), "%.*s", (int)strcspn(path + 9, ","), path + 9);
	fd = open(file, O_RDWR);
	memcpy(body, is("bad-template") ? "NONSENSE" : "HTCHSNAP", 8);
	if (is("no-template"))
		size = 0;
	if (fd < 0 || pwrite(fd, &size, 8, (off_t)(at - 0x80000000)) != 8 ||
	    pwrite(fd, body, 1 << 20, (off_t)(at - 0x80000000 + 8)) != 1 << 20)
		_exit(3);
	usleep(200000);
	_exit(0);
}

/* A snapshot that a test has damaged does not begin like one. */
static void load(char **words)
{
	char file[64] = "", start[8] = "";
	int fd;

	for (; *words; words++) {
		if (!strncmp(*words, "loader,", 7))
			snprintf(file, sizeof(file), "%s", strstr(*words, "file=") + 5);
	}
	fd = open(file, O_RDONLY);
	if (read(fd, start, sizeof(start)) == sizeof(start) && !memcmp(start, "HTCHSNAP", 8) &&
	    !is("bad-load"))
		return;
	puts("hatch: the snapshot: damaged or of a foreign format; fetch it again");
	fflush(stdout);
	_exit(125);
}

/* ---- The machine ---- */

static void go_wrong_early(void)
{
	if (is("dead")) {
		fputs("fake: no such property\n", stderr);
		_exit(1);
	}
	fputs("OpenSBI v1.1\r\n\033[1mnot yet\033_hatch\033\\", stdout);
	fflush(stdout);
	if (is("killed"))
		kill(getpid(), SIGKILL);
	if (is("silent"))
		pause();
	if (is("panic")) {
		puts("Kernel panic - not syncing: No working init found.\r");
		fflush(stdout);
		_exit(0);
	}
}

/* The machine's RAM is no file of a disk. */
static void forget_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

int main(int argc, char **argv)
{
	const char *line = value_of(argv, "-append");

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	forget_limit();
	log_start(line);
	find_ports(argv);
	go_wrong_early();
	if (strstr(line, "hatch.blob=save"))
		save(argv, strstr(line, "hatch.blob=save"));
	if (strstr(line, "hatch.blob=snapshot"))
		load(argv);
	if (is("mute"))
		pause();
	if (is("floods"))
		while (puts("a console that never ends, and nobody reads") >= 0 && !fake.over)
			usleep(10);
	fake_agent();
	pause();
}
