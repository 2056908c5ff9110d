/* SPDX-License-Identifier: MIT */
/* What takes a while: one line that changes in place on a terminal, else a line each. */
#ifndef HATCH_COMMAND_PROGRESS_H
#define HATCH_COMMAND_PROGRESS_H

/* For hatch_command_progress. An empty WHAT: it is over, the line on the terminal goes away. */
void hatch_progress_tell(void *arg, const char *what);

/* Takes the line away, if there is one. */
void hatch_progress_end(void);

#endif
