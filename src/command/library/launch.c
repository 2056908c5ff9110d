/* SPDX-License-Identifier: MIT */
#include "launch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void hatch_launch_clear(struct hatch_launched *launched)
{
	memset(launched, 0, sizeof(*launched));
	for (int i = 0; i < HATCH_PORTS; i++)
		launched->port[i] = -1;
	launched->output[0] = launched->output[1] = -1;
}

void hatch_launch_close(struct hatch_launched *launched)
{
	for (int i = 0; i < HATCH_PORTS; i++)
		hatch_close(&launched->port[i]);
	hatch_close(&launched->output[0]);
	hatch_close(&launched->output[1]);
}

/* ---- Its beginning ---- */

/* The ends that QEMU gets, until it has them. */
struct theirs {
	int port[HATCH_PORTS], output[2], input;
};

static int open_ports(struct hatch_launched *launched, struct theirs *theirs,
		      struct hatch_problem *problem)
{
	int ends[2];

	for (int i = 0; i < HATCH_PORTS; i++) {
		if (hatch_socket_pair(ends, problem))
			return problem->error;
		launched->port[i] = ends[0];
		theirs->port[i] = ends[1];
	}
	return 0;
}

static int open_outputs(struct hatch_launched *launched, struct theirs *theirs,
			struct hatch_problem *problem)
{
	int ends[2];

	for (int i = 0; i < 2; i++) {
		if (hatch_pipe(ends, problem))
			return problem->error;
		hatch_never_wait(ends[0]);
		launched->output[i] = ends[0];
		theirs->output[i] = ends[1];
	}
	theirs->input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (theirs->input >= 0)
		return 0;
	return hatch_problem_set(problem, HATCH_COMMAND_ERESOURCE,
				 "cannot open /dev/null: close some files");
}

static int start_qemu(struct hatch_launched *launched, const struct hatch_words *words,
		      const struct theirs *theirs, int keep, struct hatch_problem *problem)
{
	int all[HATCH_PORTS + 1], count = 0;
	struct hatch_launch launch = { words->item,	  theirs->input, theirs->output[0],
				       theirs->output[1], all,		 0 };

	for (int i = 0; i < HATCH_PORTS; i++) {
		if (theirs->port[i] >= 0)
			all[count++] = theirs->port[i];
	}
	if (keep >= 0)
		all[count++] = keep;
	launch.keeps = (size_t)count;
	return hatch_process_start(&launched->qemu, &launch, problem);
}

static void close_theirs(struct theirs *theirs)
{
	for (int i = 0; i < HATCH_PORTS; i++)
		hatch_close(&theirs->port[i]);
	hatch_close(&theirs->output[0]);
	hatch_close(&theirs->output[1]);
	hatch_close(&theirs->input);
}

int hatch_launch(struct hatch_launched *launched, const struct hatch_plan *plan,
		 struct hatch_machine_start *start, int keep, struct hatch_problem *problem)
{
	struct theirs theirs = { { -1, -1, -1, -1 }, { -1, -1 }, -1 };
	struct hatch_words words = { 0 };

	if (!open_outputs(launched, &theirs, problem) &&
	    (start->template || !open_ports(launched, &theirs, problem))) {
		memcpy(start->port, theirs.port, sizeof(start->port));
		if (!hatch_machine_words(plan, start, &words, problem))
			start_qemu(launched, &words, &theirs, keep, problem);
	}
	hatch_words_free(&words);
	close_theirs(&theirs);
	if (problem->error)
		hatch_launch_close(launched);
	return problem->error;
}

/* ---- Its words ---- */

void hatch_launch_note(struct hatch_launched *launched, const char *data, size_t size)
{
	hatch_tail_add(&launched->said[0], data, size);
	if (!launched->board)
		launched->board = hatch_tail_cut(&launched->said[0], HATCH_BOARD_MARKER);
}

static void hear_one(struct hatch_launched *launched, int i)
{
	long size = 1;

	while (launched->output[i] >= 0 && size) {
		size = hatch_tail_read(&launched->said[i], launched->output[i]);
		if (size < 0)
			hatch_close(&launched->output[i]);
	}
}

void hatch_launch_hear(struct hatch_launched *launched)
{
	hear_one(launched, 0);
	hear_one(launched, 1);
	hatch_launch_note(launched, "", 0);
}

/* ---- Its end ---- */

int hatch_launch_end(struct hatch_launched *launched)
{
	int status;

	hatch_process_kill(&launched->qemu);
	status = hatch_process_reap(&launched->qemu);
	hatch_launch_hear(launched);
	return status;
}

/* QEMU's words for a disk that another one has open; it holds locks on such files. */
static bool met_lock(const struct hatch_tail *said)
{
	return hatch_tail_has(said, "Failed to get \"write\" lock");
}

static void describe_status(int status, char *text, size_t size)
{
	if (status >= 0 && WIFSIGNALED(status))
		snprintf(text, size, "killed by signal %d", WTERMSIG(status));
	else if (status >= 0)
		snprintf(text, size, "status %d", WEXITSTATUS(status));
	else
		snprintf(text, size, "status unknown");
}

int hatch_launch_blame(const struct hatch_launched *launched, int status, const char *when,
		       struct hatch_problem *problem)
{
	char line[300] = "nothing was said", how[40];

	describe_status(status, how, sizeof(how));
	if (met_lock(&launched->said[1]))
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "the kept file system is in use by another machine: end "
					 "that one, or keep it under another name");
	if (!launched->board) {
		if (!hatch_tail_line(&launched->said[1], "", line, sizeof(line)))
			hatch_tail_line(&launched->said[0], "", line, sizeof(line));
		return hatch_problem_set(problem, HATCH_COMMAND_EMACHINE,
					 "QEMU ended (%s) before the guest's board was up: %s; "
					 "hatch doctor checks this machine",
					 how, line);
	}
	if (!hatch_tail_line(&launched->said[0], "hatch: ", line, sizeof(line)) &&
	    !hatch_tail_line(&launched->said[0], "", line, sizeof(line)))
		hatch_tail_line(&launched->said[1], "", line, sizeof(line));
	return hatch_problem_set(problem, HATCH_COMMAND_EMACHINE,
				 "the guest's machine ended (%s) %s; its last words: %s", how, when,
				 line);
}
