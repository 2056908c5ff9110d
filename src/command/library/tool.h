/* SPDX-License-Identifier: MIT */
/* Other programs that do a piece of work, and what they say. */
#ifndef HATCH_LIBRARY_TOOL_H
#define HATCH_LIBRARY_TOOL_H

#include "child.h"

/*
 * Runs it to its end; *line (if not NULL) is the first line of its output, of the heap. WHAT names
 * the work; its failure is none if every line that it complains with has TOLERATED (NULL: none is) in
 * it, but the last. Errors: EIO, with the last line that it said; ENOENT; ERESOURCE; EMACHINE as
 * hatch_child_wait_for, and the tool is dead then.
 */
int hatch_tool_run(struct hatch_child *child, const char *what, struct hatch_words *words,
		   const char *tolerated, char **line, struct hatch_problem *problem);

#endif
