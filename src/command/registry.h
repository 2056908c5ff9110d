/* SPDX-License-Identifier: MIT */
/*
 * Who runs: a folder of this user's with a file for each living `hatch run`, called as the run is.
 * Its process holds a lock on the whole file (fcntl, F_SETLK), which the kernel takes back however
 * the process ends, and whose holder it names: an unlocked file is a dead one's, and a process that
 * is to get a signal is known for certain.
 */
#ifndef HATCH_COMMAND_REGISTRY_H
#define HATCH_COMMAND_REGISTRY_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct hatch_entry {
	const char *name;
	pid_t pid; /* of its `hatch run`; 0: of a process that we cannot see */
	unsigned int cpus;
	uint64_t memory; /* bytes */
	time_t started;
	const char *command; /* quoted, one line */
};

/*
 * The signal by which another process asks a `hatch run` to pass one on; the number to pass is its
 * value (sigqueue). So SIGKILL can be asked for, too.
 */
#define HATCH_SIGNAL_PASS (SIGRTMIN + 1)

/* Ends the program with status 2 unless NAME can be one. */
void hatch_registry_check(const char *name);

/*
 * Enters this process, until it ends. `pid` is not read. Without a name it gets one that is free,
 * made of BASE, the command's. Ends the program with status 125 if the name is taken.
 */
void hatch_registry_enter(const struct hatch_entry *entry, const char *base);

/* Those who live, by name; the last one has no name. What the dead left is removed. */
struct hatch_entry *hatch_registry_list(void);

enum hatch_passed {
	HATCH_PASSED,
	HATCH_PASSED_NOBODY, /* none has that name */
	HATCH_PASSED_HIDDEN, /* its process is in another container */
	HATCH_PASSED_FAILED, /* errno says why */
	HATCH_PASSED_STUCK,  /* it was asked to end, and has not within ten seconds */
};

/* Asks the run called NAME to pass signal NUMBER on. After SIGKILL its end is waited for. */
enum hatch_passed hatch_registry_pass(const char *name, int number);

#endif
