/* SPDX-License-Identifier: MIT */
/*
 * For demos that run Linux programs: their file tree, and what 15-syscalls does step by step.
 * tools/make-files makes the tree of the list `files` beside main.c; the machine is given it as
 * the blob "files".
 */
#ifndef DEMO_PROCESS_H
#define DEMO_PROCESS_H

#include <hatch/handlers/process.h>

/* Ends the demo with a message unless `error` is 0. `what`: what was tried. */
void demo_check(int error, const char *what);

/* Reads the tree, which lasts until the demo ends. */
void demo_read_files(struct hatch_files *files);

/* A program in a world of its own, and a try around it. */
struct demo_process {
	struct hatch_guest guest;
	struct hatch_vcpu vcpu;
	struct hatch_process process;
	struct hatch_try t;
};

/* Loads a program; `arg` goes to the sinks of the config. */
void demo_process_begin(struct demo_process *demo, const struct hatch_process_config *config,
			const char *path, const char *const argv[]);

/* Gives everything back. */
void demo_process_end(struct demo_process *demo);

#endif
