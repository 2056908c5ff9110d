/* SPDX-License-Identifier: MIT */
#include "tail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The older half goes when it is full. */
void hatch_tail_add(struct hatch_tail *tail, const char *data, size_t size)
{
	while (size) {
		size_t piece = sizeof(tail->text) - tail->size;

		if (!piece) {
			memmove(tail->text, tail->text + HATCH_TAIL_MOST, HATCH_TAIL_MOST);
			tail->size = HATCH_TAIL_MOST;
			continue;
		}
		piece = size < piece ? size : piece;
		memcpy(tail->text + tail->size, data, piece);
		tail->size += piece;
		data += piece;
		size -= piece;
	}
}

long hatch_tail_read(struct hatch_tail *tail, int fd)
{
	char data[4096];
	ssize_t size = read(fd, data, sizeof(data));

	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (!size)
		return -1;
	hatch_tail_add(tail, data, (size_t)size);
	return size;
}

static bool is_end(char c)
{
	return c == '\n' || c == '\r';
}

bool hatch_tail_line(const struct hatch_tail *tail, const char *start, char *line, size_t size)
{
	size_t most = strlen(start), end = tail->size;

	while (end) {
		size_t begin;

		while (end && (is_end(tail->text[end - 1]) || tail->text[end - 1] == ' '))
			end--;
		for (begin = end; begin && !is_end(tail->text[begin - 1]); begin--)
			;
		if (end > begin && end - begin >= most &&
		    !memcmp(tail->text + begin, start, most)) {
			snprintf(line, size, "%.*s", (int)(end - begin), tail->text + begin);
			return true;
		}
		end = begin;
	}
	return false;
}

void hatch_tail_cut_end(struct hatch_tail *tail, const char *text)
{
	char line[200];
	size_t begin = tail->size;

	if (!hatch_tail_line(tail, "", line, sizeof(line)) || !strstr(line, text))
		return;
	while (begin && is_end(tail->text[begin - 1]))
		begin--;
	while (begin && !is_end(tail->text[begin - 1]))
		begin--;
	tail->size = begin;
}

bool hatch_tail_has(const struct hatch_tail *tail, const char *text)
{
	return memmem(tail->text, tail->size, text, strlen(text));
}

bool hatch_tail_cut(struct hatch_tail *tail, const char *text)
{
	size_t size = strlen(text);
	const char *found = memmem(tail->text, tail->size, text, size);

	if (!found)
		return false;
	tail->size -= (size_t)(found - tail->text) + size;
	memmove(tail->text, found + size, tail->size);
	return true;
}
