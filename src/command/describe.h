/* SPDX-License-Identifier: MIT */
/* What was typed behind `hatch run`, and the command that it describes to the library. */
#ifndef HATCH_COMMAND_DESCRIBE_H
#define HATCH_COMMAND_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include <hatch/command.h>

#include "options.h"

/* As given; NULL or empty: not given. */
struct hatch_described {
	struct hatch_list variables; /* NAME=VALUE or NAME */
	struct hatch_list volumes;   /* HOST:GUEST[:ro|:rw|:overlay] */
	struct hatch_list ports;     /* [HOST:]GUEST[/tcp|/udp] */
	const char *folder, *user, *hostname;
	const char *memory, *cpus, *timeout;
	const char *net; /* none or user */
	const char *image, *persist, *kernel, *qemu, *firmware;
	bool debug, gdb;

	/* Set by hatch_describe. */
	uint64_t bytes; /* of memory */
	unsigned int processors;
};

/*
 * The command WORDS (a NULL behind them; none: the image's own) with all of that, streams and terminal
 * excepted. Ends the program with status 2 where a word is wrong.
 */
struct hatch_command *hatch_describe(struct hatch_described *described, char **words);

#endif
