/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"

static char *path_below(const char *variable, const char *format, va_list values)
{
	const char *folder = getenv(variable);
	char *name;

	if (!folder)
		hatch_report_fail(HATCH_EXIT_FAILED, "%s is not set: start this program by ./hatch",
				  variable);
	if (vasprintf(&name, format, values) < 0)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "out of memory: close some programs and run again");
	return hatch_text_format("%s/%s", folder, name);
}

char *hatch_root_path(const char *format, ...)
{
	va_list values;
	char *path;

	va_start(values, format);
	path = path_below("HATCH_ROOT", format, values);
	va_end(values);
	return path;
}

char *hatch_build_path(const char *format, ...)
{
	va_list values;
	char *path;

	va_start(values, format);
	path = path_below("HATCH_BUILD", format, values);
	va_end(values);
	return path;
}

char *hatch_cache_folder(void)
{
	const char *own = getenv("HATCH_CACHE");
	const char *all = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (own && *own)
		return hatch_text_format("%s", own);
	return all && *all ? hatch_text_format("%s/hatch", all)
			   : hatch_text_format("%s/.cache/hatch", home ? home : "");
}

/* OUTPUT takes the place of standard output; negative: ours. */
static pid_t start(const char *const *argv, int output, bool quiet)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot start a process: %m; close some programs");
	if (pid)
		return pid;
	if (output >= 0)
		dup2(output, STDOUT_FILENO);
	if (quiet)
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
	execvp(argv[0], (char *const *)argv);
	hatch_report_note("cannot run %s: %m; check that it is installed", argv[0]);
	_exit(errno == ENOENT ? HATCH_EXIT_NOT_FOUND : HATCH_EXIT_FAILED);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return HATCH_EXIT_FAILED;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : HATCH_EXIT_FAILED;
}

int hatch_tool_call(const char *const *argv)
{
	return wait_for(start(argv, -1, false));
}

/* Reads to the end, so that the tool never meets a closed pipe. */
static char *first_line(int fd)
{
	FILE *stream = fdopen(fd, "r");
	char *line = NULL, *rest = NULL;
	size_t size = 0;

	if (!stream || getline(&line, &size, stream) < 0)
		line = hatch_text_format("%s", "");
	line[strcspn(line, "\n")] = '\0';
	size = 0;
	while (stream && getline(&rest, &size, stream) >= 0)
		;
	free(rest);
	if (stream)
		fclose(stream);
	return line;
}

static int capture(const char *const *argv, bool quiet, char **line)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		hatch_report_fail(HATCH_EXIT_FAILED, "cannot make a pipe: %m; close some programs");
	pid = start(argv, ends[1], quiet);
	close(ends[1]);
	*line = first_line(ends[0]);
	return wait_for(pid);
}

char *hatch_tool_read(const char *const *argv)
{
	char *line;
	int status = capture(argv, false, &line);

	if (status)
		exit(status);
	return line;
}

char *hatch_tool_try(const char *const *argv)
{
	char *line;

	return capture(argv, false, &line) ? NULL : line;
}

char *hatch_tool_probe(const char *const *argv)
{
	char *line;

	return capture(argv, true, &line) ? NULL : line;
}
