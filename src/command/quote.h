/* SPDX-License-Identifier: MIT */
/* Words as a shell reads them. */
#ifndef HATCH_COMMAND_QUOTE_H
#define HATCH_COMMAND_QUOTE_H

/* Writes one word so that a shell makes the same of it, in one line and with no control byte. */
char *hatch_quote(const char *word);

/* The same for a list that ends with NULL, blanks between the words. */
char *hatch_quote_all(const char *const *words);

#endif
