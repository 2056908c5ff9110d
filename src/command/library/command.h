/* SPDX-License-Identifier: MIT */
/* A command as it was described. */
#ifndef HATCH_LIBRARY_COMMAND_H
#define HATCH_LIBRARY_COMMAND_H

#include "problem.h"

enum {
	HATCH_STREAMS = 3, /* standard input, output, error */
	HATCH_CPUS_MOST = 8,
};

/* Of enum hatch_stdio_kind, for us alone: what comes is kept in memory. */
#define HATCH_STDIO_COLLECT ((enum hatch_stdio_kind)100)

struct hatch_mounted {
	char *host, *guest;
	enum hatch_mount how;
};

struct hatch_forward {
	enum hatch_protocol protocol;
	unsigned int host, guest; /* ports */
};

struct hatch_stream_choice {
	bool said;
	enum hatch_stdio_kind kind;
	int fd;			  /* of HATCH_STDIO_FD */
	struct hatch_bytes bytes; /* of HATCH_STDIO_BYTES */
};

/* All pointers are of the heap, NULL where nothing was said. */
struct hatch_command {
	bool program;		      /* one was named; else the image's is meant */
	struct hatch_words arguments; /* it is the first */
	struct hatch_words environment;
	bool bare; /* none of the guest's own variables */
	char *folder, *user, *hostname;
	struct hatch_stream_choice stream[HATCH_STREAMS];
	char *term; /* NULL: no terminal */
	unsigned int rows, columns;
	struct hatch_mounted *mount;
	size_t mounts;
	struct hatch_forward *forward;
	size_t forwards;
	bool network;
	char *image, *persist, *kernel, *qemu, *firmware;
	uint64_t memory; /* bytes */
	unsigned int cpus;
	double timeout; /* seconds; 0: none */
	int console;	/* -1: none */
	bool gdb;
	void (*tell)(void *arg, const char *what);
	void *tell_arg;
	struct hatch_problem complaint; /* the first one about the description */
	struct hatch_problem problem;	/* of the last call */
};

#endif
