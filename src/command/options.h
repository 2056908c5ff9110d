/* SPDX-License-Identifier: MIT */
/* Command lines: one table per subcommand gives both the parser and the help text. */
#ifndef HATCH_COMMAND_OPTIONS_H
#define HATCH_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* Values of an option that may be given several times; also a growing argument vector. */
struct hatch_list {
	const char **item; /* NULL-terminated once anything is in it */
	size_t count;
};

enum hatch_option_kind {
	HATCH_OPTION_FLAG, /* target: bool */
	HATCH_OPTION_TEXT, /* target: const char *; the last one given counts */
	HATCH_OPTION_LIST, /* target: struct hatch_list */
};

/* A table ends with an entry whose name is NULL. */
struct hatch_option {
	const char *name;  /* as typed, with its dashes; or several: "-e, --env" */
	const char *value; /* what the help calls the value; NULL for a flag */
	const char *help;
	enum hatch_option_kind kind;
	void *target;
};

struct hatch_verb {
	const char *name;
	const char *operands; /* for the usage line, "" if none */
	const char *summary;
	/* Gets the words after the subcommand's name; returns the exit status. */
	int (*run)(const struct hatch_verb *self, int argc, char **argv);
};

/* Appends ITEM; the list keeps the pointer, not a copy. */
void hatch_list_add(struct hatch_list *list, const char *item);

/*
 * Parses argv[0..argc) by TABLE. Options and operands may come in any order; all after "--" are
 * operands. An option's value is the next word, or behind '=', or,
 * for one letter, the rest of the word; flags of one letter may be bundled, and one with a value
 * may end the bundle. Returns the number of operands, moved to the front of argv. A wrong word ends
 * the program with status 2, --help with 0.
 */
int hatch_options_parse(const struct hatch_verb *command, const struct hatch_option *table,
			int argc, char **argv);

/* The same where the operands are another program's command line: the first ends the options. */
int hatch_options_parse_ahead(const struct hatch_verb *command, const struct hatch_option *table,
			      int argc, char **argv);

/* Ends the program with status 2 if there are more than MOST operands. */
void hatch_operands_limit(const struct hatch_verb *command, int count, int most, char **argv);

#endif
