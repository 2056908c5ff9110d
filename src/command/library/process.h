/* SPDX-License-Identifier: MIT */
/* Other programs: QEMU, and the tools that fetch and unpack. Each dies with the thread that starts it. */
#ifndef HATCH_LIBRARY_PROCESS_H
#define HATCH_LIBRARY_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "problem.h"

/* Zeroed: none. Its process group has its own number. */
struct hatch_process {
	pid_t pid;
	int fd; /* readable when it has ended */
};

struct hatch_launch {
	char *const *words;	   /* the first one: the program's file */
	int input, output, errors; /* its standard streams; all above 2 */
	const int *keep;	   /* other descriptors that it inherits, under their numbers */
	size_t keeps;
};

/* Errors: ENOENT, the program is not there or none; ERESOURCE. */
int hatch_process_start(struct hatch_process *process, const struct hatch_launch *launch,
			struct hatch_problem *problem);

/* Kills its group. Nothing if it has been reaped. */
void hatch_process_kill(const struct hatch_process *process);

/* Waits for its end. Returns its wait status; -1 if someone else took that. */
int hatch_process_reap(struct hatch_process *process);

/* Both ends above 2, and closed on exec. Errors: ERESOURCE. */
int hatch_pipe(int ends[2], struct hatch_problem *problem);
int hatch_socket_pair(int ends[2], struct hatch_problem *problem);

/* Closes it, unless it is negative, and makes it -1. */
void hatch_close(int *fd);

/* Reads and writes never wait. For descriptors that nobody else has. */
void hatch_never_wait(int fd);

#endif
