/* SPDX-License-Identifier: MIT */
/*
 * A library of straw behind hatch/command.h, to test the program in front of it: its guests are
 * processes of ours. What describes a command is the true library's.
 */
#ifndef HATCH_STRAW_H
#define HATCH_STRAW_H

#include <pthread.h>
#include <stdatomic.h>

#include "command.h"

struct hatch_child {
	pid_t pid;
	int fd;		/* a pidfd */
	int input;	/* our end of its standard input; -1: none */
	int keys;	/* the other end, with a terminal */
	int master;	/* its terminal; -1: none */
	double timeout; /* seconds */
	pthread_t out, in, watch;
	atomic_bool timed_out;
	int error; /* errno of exec */
	bool ended;
	struct hatch_exit end;
};

#endif
