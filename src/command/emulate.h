/* SPDX-License-Identifier: MIT */
/* The value of --emulate: names of instruction-set extensions. */
#ifndef HATCH_COMMAND_EMULATE_H
#define HATCH_COMMAND_EMULATE_H

/*
 * Ends the program with status 2 unless LIST (NULL: none was given) has nothing but names that
 * the machine's side can emulate, with commas between, or "all".
 */
void hatch_emulate_check(const char *list);

#endif
