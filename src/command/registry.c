/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.h"

enum {
	NAME_MOST = 64,
	TEXT_MOST = 16 * 1024, /* bytes of an entry */
	PATIENCE = 10 * 1000,  /* milliseconds for the end of a killed run */
};

static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789._-";

/* This process's own entry; fd: -1 if there is none. Closing the file would give the lock back. */
static struct {
	int folder, fd;
	const char *name;
} own = { -1, -1, NULL };

/* ---- The folder ---- */

/* A folder for runtime files, if there is one that is this user's; sudo leaves another's there. */
static const char *runtime_folder(void)
{
	const char *folder = getenv("XDG_RUNTIME_DIR");
	struct stat status;

	if (!folder || *folder != '/' || stat(folder, &status) || !S_ISDIR(status.st_mode) ||
	    status.st_uid != geteuid() || access(folder, W_OK | X_OK))
		return NULL;
	return folder;
}

/* Nobody else may write it, nor be its owner: who can put files there can say who gets signals. */
static int open_folder(void)
{
	const char *runtime = runtime_folder();
	char *path = runtime ? hatch_text_format("%s/hatch", runtime)
			     : hatch_text_format("/tmp/hatch-%u", (unsigned int)geteuid());
	struct stat status;
	int folder;

	if (mkdir(path, 0700) && errno != EEXIST)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot make the folder %s, where runs are listed: %m; set "
				  "XDG_RUNTIME_DIR to a folder of yours",
				  path);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || fstat(folder, &status) || status.st_uid != geteuid() ||
	    (status.st_mode & 077))
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "%s, where runs are listed, is no folder that is yours alone: "
				  "remove it, or set XDG_RUNTIME_DIR to a folder of yours",
				  path);
	free(path);
	return folder;
}

/* Whoever enters an entry or removes a dead one's holds this: nobody sees a half-written one. */
static int open_folder_locked(void)
{
	int folder = open_folder();

	while (flock(folder, LOCK_EX) && errno == EINTR)
		;
	return folder;
}

/* ---- Locks ---- */

static bool take_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return !fcntl(fd, F_SETLK, &lock);
}

/* Whose lock it is: -1 nobody's, 0 a process's that we cannot see. */
static pid_t lock_holder(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_GETLK, &lock))
		return 0;
	if (lock.l_type == F_UNLCK)
		return -1;
	return lock.l_pid > 0 ? lock.l_pid : 0;
}

/* ---- Entering ---- */

void hatch_registry_check(const char *name)
{
	if (!*name || strlen(name) > NAME_MOST || strchr("._-", *name) ||
	    name[strspn(name, name_bytes)])
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "--name %s: no plain name: up to %d letters, digits, '.', '_' "
				  "and '-', beginning with a letter or digit",
				  name, NAME_MOST);
}

static void leave(void)
{
	if (own.fd < 0)
		return;
	unlinkat(own.folder, own.name, 0);
	close(own.fd);
	own.fd = -1;
}

/* Whether the name is ours now. Else *holder is who has it. */
static bool try_enter(const char *name, pid_t *holder)
{
	int fd = openat(own.folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot list the run '%s': %m; see the folder hatch in "
				  "XDG_RUNTIME_DIR, or /tmp/hatch-%u",
				  name, (unsigned int)geteuid());
	if (!take_lock(fd)) {
		*holder = lock_holder(fd);
		close(fd);
		return false;
	}
	own.fd = fd;
	own.name = name;
	atexit(leave);
	return true;
}

/* The command's name, as far as it can be a run's. */
static char *plain_name(const char *base)
{
	char *name = hatch_text_format("%.*s", NAME_MOST - 16,
				       strrchr(base, '/') ? strrchr(base, '/') + 1 : base);
	char *to = name;

	for (const char *from = name; *from; from++) {
		if (strchr(name_bytes, *from) && (to > name || !strchr("._-", *from)))
			*to++ = *from;
	}
	*to = '\0';
	return *name ? name : hatch_text_format("run");
}

static void enter_under_any(const char *base)
{
	char *plain = plain_name(base);
	char *name = plain;
	pid_t holder;

	for (unsigned int i = 2; !try_enter(name, &holder); i++)
		name = hatch_text_format("%s-%u", plain, i);
}

static void enter_under(const char *name)
{
	pid_t holder;

	if (try_enter(name, &holder))
		return;
	if (holder > 0)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "the name '%s' is taken by process %d: give another, or end "
				  "that with hatch kill %s",
				  name, (int)holder, name);
	hatch_report_fail(HATCH_EXIT_FAILED, "the name '%s' is taken: give another", name);
}

void hatch_registry_enter(const struct hatch_entry *entry, const char *base)
{
	char *text = hatch_text_format("cpus: %u\nmemory: %llu\nstarted: %lld\ncommand: %.*s\n",
				       entry->cpus, (unsigned long long)entry->memory,
				       (long long)entry->started, TEXT_MOST / 2, entry->command);
	ssize_t size = (ssize_t)strlen(text);

	own.folder = open_folder_locked();
	if (entry->name)
		enter_under(entry->name);
	else
		enter_under_any(base);
	if (ftruncate(own.fd, 0) || write(own.fd, text, (size_t)size) != size)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot list the run '%s': %m; is the disk full?", own.name);
	flock(own.folder, LOCK_UN);
	free(text);
}

/* ---- Listing ---- */

/* The value of the line that begins with KEY; "" if there is none. */
static char *value_of(const char *text, const char *key)
{
	const char *line = text;

	while (line && strncmp(line, key, strlen(key))) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		return hatch_text_format("%s", "");
	line += strlen(key);
	return hatch_text_format("%.*s", (int)strcspn(line, "\n"), line);
}

static struct hatch_entry read_entry(int fd, const char *name, pid_t pid)
{
	static char text[TEXT_MOST];
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);

	text[size > 0 ? size : 0] = '\0';
	return (struct hatch_entry){
		.name = hatch_text_format("%s", name),
		.pid = pid,
		.cpus = (unsigned int)strtoul(value_of(text, "cpus: "), NULL, 10),
		.memory = strtoull(value_of(text, "memory: "), NULL, 10),
		.started = strtoll(value_of(text, "started: "), NULL, 10),
		.command = value_of(text, "command: "),
	};
}

/* Looks at the file NAME: whether it is of one who lives; if not, it is removed. */
static bool look(int folder, const char *name, struct hatch_entry *entry)
{
	int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	pid_t pid;

	if (fd < 0)
		return false;
	pid = lock_holder(fd);
	if (pid < 0)
		unlinkat(folder, name, 0);
	else
		*entry = read_entry(fd, name, pid);
	close(fd);
	return pid >= 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct hatch_entry *)a)->name, ((const struct hatch_entry *)b)->name);
}

struct hatch_entry *hatch_registry_list(void)
{
	int folder = open_folder_locked();
	DIR *files = fdopendir(folder);
	struct hatch_entry *list = calloc(1, sizeof(*list));
	struct dirent *file;
	size_t count = 0;

	while (files && list && (file = readdir(files))) {
		if (*file->d_name == '.' || !look(folder, file->d_name, &list[count]))
			continue;
		list = reallocarray(list, ++count + 1, sizeof(*list));
		if (list)
			list[count] = (struct hatch_entry){ 0 };
	}
	if (!list || !files)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "out of memory: close some programs and run again");
	closedir(files);
	qsort(list, count, sizeof(*list), by_name);
	return list;
}

/* ---- Passing a signal ---- */

/*
 * A descriptor for the process that holds the lock. It is the holder's for certain if the lock is
 * still its after that: a process of the same number that came later would not have it.
 */
static int open_holder(int fd, pid_t pid)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0);

	if (process >= 0 && lock_holder(fd) != pid) {
		close(process);
		errno = ESRCH;
		return -1;
	}
	return process;
}

static enum hatch_passed pass_to(int process, int number)
{
	siginfo_t info = {
		.si_signo = HATCH_SIGNAL_PASS,
		.si_code = SI_QUEUE,
		.si_pid = getpid(),
		.si_uid = getuid(),
		.si_value.sival_int = number,
	};
	struct pollfd end = { .fd = process, .events = POLLIN };

	if (syscall(SYS_pidfd_send_signal, process, HATCH_SIGNAL_PASS, &info, 0))
		return errno == ESRCH ? HATCH_PASSED_NOBODY : HATCH_PASSED_FAILED;
	if (number == SIGKILL && poll(&end, 1, PATIENCE) <= 0)
		return HATCH_PASSED_STUCK;
	return HATCH_PASSED;
}

static enum hatch_passed pass_to_holder(int fd, int number)
{
	pid_t pid = lock_holder(fd);
	enum hatch_passed passed;
	int process;

	if (pid <= 0)
		return pid ? HATCH_PASSED_NOBODY : HATCH_PASSED_HIDDEN;
	process = open_holder(fd, pid);
	if (process < 0)
		return errno == ESRCH ? HATCH_PASSED_NOBODY : HATCH_PASSED_FAILED;
	passed = pass_to(process, number);
	close(process);
	return passed;
}

enum hatch_passed hatch_registry_pass(const char *name, int number)
{
	int folder = open_folder();
	int fd = *name && !strchr(name, '/') && *name != '.'
			 ? openat(folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
			 : -1;
	enum hatch_passed passed = fd < 0 ? HATCH_PASSED_NOBODY : pass_to_holder(fd, number);

	if (fd >= 0)
		close(fd);
	close(folder);
	return passed;
}
