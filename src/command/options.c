/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

void hatch_list_add(struct hatch_list *list, const char *item)
{
	list->item = realloc(list->item, (list->count + 2) * sizeof(*list->item));
	if (!list->item)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "out of memory: close some programs and run again");
	list->item[list->count++] = item;
	list->item[list->count] = NULL;
}

/* The column at which most of a table's helps can stand. */
static int help_column(const struct hatch_option *table)
{
	enum { LEAST = 24, MOST = 34 };
	size_t column = LEAST;

	for (; table->name; table++) {
		size_t width = strlen(table->name) + 4;

		width += table->value ? strlen(table->value) : 0;
		if (width > column && width <= MOST)
			column = width;
	}
	return (int)column;
}

static void print_help(const struct hatch_verb *command, const struct hatch_option *table)
{
	int column = help_column(table);

	printf("usage: hatch %s%s %s\n%s.\n", command->name, table->name ? " [OPTION]..." : "",
	       command->operands, command->summary);
	if (table->name)
		puts("\noptions:");
	for (; table->name; table++) {
		int width = printf("  %s %s", table->name, table->value ? table->value : "");

		printf("%*s%s\n", width < column ? column - width : 1, "", table->help);
	}
}

/* Whether NAMES, such as "-e, --env", has the name of so many bytes at WORD. */
static bool has_name(const char *names, const char *word, size_t length)
{
	for (;;) {
		size_t size = strcspn(names, ",");

		if (size == length && !memcmp(names, word, length))
			return true;
		if (!names[size])
			return false;
		names += size + 2;
	}
}

static const struct hatch_option *find_option(const struct hatch_option *table, const char *word,
					      size_t length)
{
	for (; table->name; table++) {
		if (has_name(table->name, word, length))
			return table;
	}
	return NULL;
}

static void store_option(const struct hatch_option *option, const char *value)
{
	switch (option->kind) {
	case HATCH_OPTION_FLAG:
		*(bool *)option->target = true;
		break;
	case HATCH_OPTION_TEXT:
		*(const char **)option->target = value;
		break;
	case HATCH_OPTION_LIST:
		hatch_list_add(option->target, value);
		break;
	}
}

/* Where the words stand. */
struct cursor {
	const struct hatch_verb *verb;
	const struct hatch_option *table;
	int argc, at;
	char **argv;
};

static _Noreturn void refuse_unknown(const struct cursor *cursor, const char *name)
{
	hatch_report_fail(HATCH_EXIT_USAGE, "unknown option %s: see hatch %s --help", name,
			  cursor->verb->name);
}

/* Stores OPTION, called NAME; VALUE: what is written in the same word, NULL if nothing is. */
static void take_value(struct cursor *cursor, const struct hatch_option *option, const char *name,
		       const char *value)
{
	if (option->kind == HATCH_OPTION_FLAG) {
		if (value)
			hatch_report_fail(HATCH_EXIT_USAGE, "%s takes no value: write it alone",
					  name);
	} else if (!value && cursor->at + 1 < cursor->argc) {
		value = cursor->argv[++cursor->at];
	} else if (!value) {
		hatch_report_fail(HATCH_EXIT_USAGE, "%s needs a value: %s %s", name, name,
				  option->value);
	}
	store_option(option, value);
}

/* --name or --name=value. */
static void take_long(struct cursor *cursor, char *word)
{
	size_t length = strcspn(word, "=");
	const struct hatch_option *option = find_option(cursor->table, word, length);
	const char *value = word[length] ? word + length + 1 : NULL;

	if (!option)
		refuse_unknown(cursor, word);
	take_value(cursor, option, hatch_text_format("%.*s", (int)length, word), value);
}

/* -n, -nvalue, -n=value, -abn: flags of one letter, and perhaps one with a value at the end. */
static void take_letters(struct cursor *cursor, const char *word)
{
	for (const char *letter = word + 1; *letter; letter++) {
		const char name[] = { '-', *letter, '\0' };
		const struct hatch_option *option = find_option(cursor->table, name, 2);

		if (!option)
			refuse_unknown(cursor, word[2] ? word : name);
		if (letter[1] == '=' || (letter[1] && option->kind != HATCH_OPTION_FLAG)) {
			take_value(cursor, option, name, letter + 1 + (letter[1] == '='));
			return;
		}
		take_value(cursor, option, name, NULL);
	}
}

static void take_option(struct cursor *cursor)
{
	char *word = cursor->argv[cursor->at];

	if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
		print_help(cursor->verb, cursor->table);
		exit(0);
	}
	if (word[1] == '-')
		take_long(cursor, word);
	else
		take_letters(cursor, word);
}

static int parse(struct cursor *cursor, bool ahead)
{
	bool only_operands = false;
	int operands = 0;

	for (; cursor->at < cursor->argc; cursor->at++) {
		char *word = cursor->argv[cursor->at];

		if (only_operands || word[0] != '-' || !word[1]) {
			cursor->argv[operands++] = word;
			only_operands |= ahead;
		} else if (!strcmp(word, "--")) {
			only_operands = true;
		} else {
			take_option(cursor);
		}
	}
	return operands;
}

int hatch_options_parse(const struct hatch_verb *command, const struct hatch_option *table,
			int argc, char **argv)
{
	return parse(&(struct cursor){ command, table, argc, 0, argv }, false);
}

int hatch_options_parse_ahead(const struct hatch_verb *command, const struct hatch_option *table,
			      int argc, char **argv)
{
	return parse(&(struct cursor){ command, table, argc, 0, argv }, true);
}

void hatch_operands_limit(const struct hatch_verb *command, int count, int most, char **argv)
{
	if (count > most)
		hatch_report_fail(HATCH_EXIT_USAGE, "unexpected word '%s': see hatch %s --help",
				  argv[most], command->name);
}
