/* SPDX-License-Identifier: MIT */
/* A command of the guest while it runs: signals, keys and the terminal's size go to it. */
#ifndef HATCH_COMMAND_ATTEND_H
#define HATCH_COMMAND_ATTEND_H

#include <stdbool.h>

#include <hatch/command.h>

/*
 * From here on signals wait until there is a command to have them. With TERMINAL that at standard
 * input is made raw, until the program's end. Ends the program with status 2 if it is none.
 */
void hatch_attend_begin(bool terminal);

/* Tells COMMAND of the terminal that hatch_attend_begin has made raw. */
void hatch_attend_terminal(struct hatch_command *command);

/*
 * Attends to the child until it has ended, frees it, gives the terminal back, and says what went
 * wrong. Returns the exit status. Twice interrupted within a second it kills the child, and
 * without a terminal the program dies of SIGINT.
 */
int hatch_attend(struct hatch_child *child);

#endif
