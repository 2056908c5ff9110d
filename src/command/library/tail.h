/* SPDX-License-Identifier: MIT */
/* The last bytes of what something said, for the message should it fail. */
#ifndef HATCH_LIBRARY_TAIL_H
#define HATCH_LIBRARY_TAIL_H

#include <stdbool.h>
#include <stddef.h>

enum { HATCH_TAIL_MOST = 16 * 1024 };

struct hatch_tail {
	size_t size;
	char text[2 * HATCH_TAIL_MOST];
};

void hatch_tail_add(struct hatch_tail *tail, const char *data, size_t size);

/* Reads from FD, which never waits. Returns how much; 0: nothing is there now; -1: the end. */
long hatch_tail_read(struct hatch_tail *tail, int fd);

/* Copies the last line that begins with START ("": that says anything); false if there is none. */
bool hatch_tail_line(const struct hatch_tail *tail, const char *start, char *line, size_t size);

/* Forgets the last line if it has TEXT in it. */
void hatch_tail_cut_end(struct hatch_tail *tail, const char *text);

/* Whether TEXT is in it. */
bool hatch_tail_has(const struct hatch_tail *tail, const char *text);

/* Forgets all up to the end of TEXT, if that is in it: returns whether it was. */
bool hatch_tail_cut(struct hatch_tail *tail, const char *text);

#endif
