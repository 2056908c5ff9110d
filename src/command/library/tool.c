/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "tail.h"

/* Its two outputs; the ends at which we read. */
struct outputs {
	int fd[2];
	struct hatch_tail said[2];
};

static int start(struct hatch_process *process, const struct hatch_words *words,
		 struct outputs *outputs, struct hatch_problem *problem)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	struct hatch_launch launch = { .words = words->item };

	if (null < 0 || hatch_pipe(out, problem) || hatch_pipe(err, problem)) {
		if (!problem->error)
			hatch_problem_set(problem, HATCH_COMMAND_ERESOURCE,
					  "cannot open /dev/null: close some files");
	} else {
		launch.input = null;
		launch.output = out[1];
		launch.errors = err[1];
		hatch_process_start(process, &launch, problem);
	}
	hatch_close(&null);
	hatch_close(&out[1]);
	hatch_close(&err[1]);
	outputs->fd[0] = out[0];
	outputs->fd[1] = err[0];
	return problem->error;
}

/* To the end of both. */
static int listen_to(struct hatch_child *child, struct outputs *outputs,
		     struct hatch_problem *problem)
{
	hatch_never_wait(outputs->fd[0]);
	hatch_never_wait(outputs->fd[1]);
	while (outputs->fd[0] >= 0 || outputs->fd[1] >= 0) {
		if (hatch_child_wait_for(child, outputs->fd, 2, -1, problem) < 0)
			return problem->error;
		for (int i = 0; i < 2; i++) {
			if (outputs->fd[i] >= 0 &&
			    hatch_tail_read(&outputs->said[i], outputs->fd[i]) < 0)
				hatch_close(&outputs->fd[i]);
		}
	}
	return 0;
}

/* tar's last line says that there were others. */
static bool is_tolerated(const struct hatch_tail *said, const char *tolerated)
{
	const char *line = said->text, *end = said->text + said->size, *next;
	bool all = tolerated && said->size && said->size < sizeof(said->text);

	for (; all && line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next : end;
		if (next + 1 < end)
			all = memmem(line, (size_t)(next - line), tolerated, strlen(tolerated));
	}
	return all;
}

/* tar's words behind those that tell what was wrong. */
static void cut_last_words(struct hatch_tail *said)
{
	static const char *const words[] = { "Exiting with failure status",
					     "is not recoverable: exiting now",
					     "Child returned status", "Skipping to next header" };
	size_t before;

	do {
		before = said->size;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			hatch_tail_cut_end(said, words[i]);
	} while (said->size < before);
}

static int judge(const char *what, const char *tolerated, int status, struct hatch_tail *said,
		 struct hatch_problem *problem)
{
	char line[400] = "";

	if (WIFEXITED(status) && (!WEXITSTATUS(status) || is_tolerated(said, tolerated)))
		return 0;
	cut_last_words(said);
	hatch_tail_line(said, "", line, sizeof(line));
	return hatch_problem_set(problem, HATCH_COMMAND_EIO, "%s failed: %s", what,
				 *line ? line : "without a word");
}

static char *first_line(const struct hatch_tail *said)
{
	const char *end = memchr(said->text, '\n', said->size);

	return strndup(said->text, end ? (size_t)(end - said->text) : said->size);
}

static int follow(struct hatch_child *child, const char *what, const struct hatch_words *words,
		  const char *tolerated, struct outputs *outputs, struct hatch_problem *problem)
{
	struct hatch_process process = { 0 };
	int status;

	if (start(&process, words, outputs, problem))
		return problem->error;
	if (listen_to(child, outputs, problem))
		hatch_process_kill(&process);
	status = hatch_process_reap(&process);
	return problem->error ? problem->error
			      : judge(what, tolerated, status, &outputs->said[1], problem);
}

int hatch_tool_run(struct hatch_child *child, const char *what, struct hatch_words *words,
		   const char *tolerated, char **line, struct hatch_problem *problem)
{
	struct outputs *outputs = calloc(1, sizeof(*outputs));

	if (!outputs || words->failed) {
		free(outputs);
		return hatch_problem_memory(problem);
	}
	outputs->fd[0] = outputs->fd[1] = -1;
	follow(child, what, words, tolerated, outputs, problem);
	if (!problem->error && line && !(*line = first_line(&outputs->said[0])))
		hatch_problem_memory(problem);
	hatch_close(&outputs->fd[0]);
	hatch_close(&outputs->fd[1]);
	free(outputs);
	return problem->error;
}
