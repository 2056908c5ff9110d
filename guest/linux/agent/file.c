/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

int problem_set(struct problem *problem, const char *format, ...)
{
	int error = errno, size;
	va_list list;

	problem->end = HATCH_AGENT_NO_SETUP;
	problem->code = (uint32_t)error;
	va_start(list, format);
	size = vsnprintf(problem->text, sizeof(problem->text), format, list);
	va_end(list);
	if (size >= 0 && (size_t)size < sizeof(problem->text))
		snprintf(problem->text + size, sizeof(problem->text) - (size_t)size, ": %s",
			 strerror(error));
	return -1;
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t put;

	if (fd < 0)
		return -1;
	put = write(fd, text, strlen(text));
	close(fd);
	return put == (ssize_t)strlen(text) ? 0 : -1;
}

/* Files of proc and sys do not tell their size. */
char *file_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0, room = 4096;
	char *text = malloc(room), *more;
	ssize_t got;

	while (fd >= 0 && text && (got = read(fd, text + size, room - size - 1)) > 0) {
		size += (size_t)got;
		if (size + 1 < room)
			continue;
		more = realloc(text, room *= 2);
		if (!more)
			free(text);
		text = more;
	}
	if (fd >= 0)
		close(fd);
	if (text)
		text[size] = '\0';
	return text;
}

int folder_make(const char *path, unsigned int mode)
{
	char part[PATH_MAX];
	struct stat status;

	if (strlen(path) >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (size_t i = 1; path[i - 1]; i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, mode) && errno != EEXIST)
			return -1;
	}
	if (stat(path, &status))
		return -1;
	errno = ENOTDIR;
	return S_ISDIR(status.st_mode) ? 0 : -1;
}
