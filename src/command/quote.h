/* SPDX-License-Identifier: MIT */
/* Words as a shell reads them. */
#ifndef HATCH_COMMAND_QUOTE_H
#define HATCH_COMMAND_QUOTE_H

/*
 * Writes a list that ends with NULL so that a shell makes the same words of it: blanks between them, in
 * one line and with no control byte.
 */
char *hatch_shell_words(const char *const *words);

#endif
