/* SPDX-License-Identifier: MIT */
#include "persist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cache.h"
#include "tool.h"

/* The file takes what is in it, not its size. */
#define SIZE (INT64_C(8) << 30)

/*
 * The lock is a file beside it: QEMU itself locks the disk, but it would say so late, and in its own
 * words; and who makes it must not be disturbed either.
 */
static int lock(struct hatch_plan *plan, const char *name, struct hatch_problem *problem)
{
	char *path = hatch_format("%s.lock", plan->persist);

	plan->persist_lock = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
	free(path);
	if (plan->persist_lock < 0)
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "cannot write beside %s: %s; check its owner and mode",
					 plan->persist, strerror(errno));
	if (!flock(plan->persist_lock, LOCK_EX | LOCK_NB))
		return 0;
	return hatch_problem_set(problem, HATCH_COMMAND_EIO,
				 "what is kept as %s is in use by another machine: end that one, "
				 "or keep it under another name",
				 name);
}

int hatch_persist_plan(struct hatch_plan *plan, const char *name, struct hatch_problem *problem)
{
	char *folder = hatch_places_data("hatch/persist", problem);

	if (!folder)
		return problem->error;
	plan->persist = hatch_format("%s/%s.img", folder, name);
	if (!plan->persist)
		hatch_problem_memory(problem);
	else if (hatch_folders_make(folder))
		hatch_problem_set(problem, HATCH_COMMAND_EIO,
				  "cannot make the folder %s: %s; set "
				  "XDG_DATA_HOME",
				  folder, strerror(errno));
	else
		lock(plan, name, problem);
	free(folder);
	return problem->error;
}

/* mke2fs is in a folder that users often do not have in PATH. */
static char *find_mke2fs(void)
{
	static const char *const names[] = { "mke2fs", "/usr/sbin/mke2fs", "/sbin/mke2fs" };
	char *path = NULL;

	for (int i = 0; i < 3 && !path; i++)
		path = hatch_places_program(names[i]);
	return path;
}

static int make_file(const char *part, struct hatch_problem *problem)
{
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0 || ftruncate(fd, SIZE))
		hatch_problem_set(problem, HATCH_COMMAND_EIO, "cannot write %s: %s; free the disk",
				  part, strerror(errno));
	if (fd >= 0)
		close(fd);
	return problem->error;
}

static int make(struct hatch_child *child, const char *part, struct hatch_problem *problem)
{
	struct hatch_words words = { 0 };
	char *program = find_mke2fs();

	if (!program)
		return hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
					 "no mke2fs: install the package e2fsprogs");
	hatch_words_add(&words, "%s", program);
	hatch_words_add(&words, "-qF");
	hatch_words_add(&words, "-text4");
	hatch_words_add(&words, "-Jsize=16"); /* MiB, of the journal */
	hatch_words_add(&words, "%s", part);
	if (!make_file(part, problem))
		hatch_tool_run(child, "making a file system", &words, NULL, NULL, problem);
	if (!problem->error && rename(part, child->plan.persist))
		hatch_problem_set(problem, HATCH_COMMAND_EIO,
				  "cannot write %s: %s; check its "
				  "folder",
				  child->plan.persist, strerror(errno));
	hatch_words_free(&words);
	free(program);
	return problem->error;
}

int hatch_persist_make(struct hatch_child *child, struct hatch_problem *problem)
{
	char *part;

	if (!child->plan.persist || !access(child->plan.persist, F_OK))
		return 0;
	part = hatch_format("%s.part", child->plan.persist);
	if (!part)
		return hatch_problem_memory(problem);
	hatch_child_tell(child, "making a file system to keep");
	if (make(child, part, problem))
		unlink(part);
	free(part);
	return problem->error;
}
