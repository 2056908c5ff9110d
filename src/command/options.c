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

static void print_help(const struct hatch_verb *command, const struct hatch_option *table)
{
	printf("usage: hatch %s%s %s\n%s.\n", command->name, table->name ? " [OPTION]..." : "",
	       command->operands, command->summary);
	if (table->name)
		puts("\noptions:");
	for (; table->name; table++) {
		const char *value = table->value ? table->value : "";
		int width = printf("  %s %s", table->name, value);

		printf("%*s%s\n", width < 24 ? 24 - width : 1, "", table->help);
	}
}

/* The entry for a word `--name` or `--name=value`; NULL if there is none. */
static const struct hatch_option *find_option(const struct hatch_option *table, const char *word)
{
	size_t length = strcspn(word, "=");

	for (; table->name; table++) {
		if (strlen(table->name) == length && !strncmp(table->name, word, length))
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

/* Takes the option at argv[i]; returns the index of its last word. */
static int take_option(const struct hatch_verb *command, const struct hatch_option *table, int argc,
		       char **argv, int i)
{
	const struct hatch_option *option = find_option(table, argv[i]);
	const char *value = strchr(argv[i], '=');

	if (!option)
		hatch_report_fail(HATCH_EXIT_USAGE, "unknown option %s: see hatch %s --help",
				  argv[i], command->name);
	if (option->kind == HATCH_OPTION_FLAG) {
		if (value)
			hatch_report_fail(HATCH_EXIT_USAGE, "%s takes no value: write it alone",
					  option->name);
	} else if (value) {
		value++;
	} else if (i + 1 < argc) {
		value = argv[++i];
	} else {
		hatch_report_fail(HATCH_EXIT_USAGE, "%s needs a value: %s %s", option->name,
				  option->name, option->value);
	}
	store_option(option, value);
	return i;
}

int hatch_options_parse(const struct hatch_verb *command, const struct hatch_option *table,
			int argc, char **argv)
{
	bool only_operands = false;
	int operands = 0;

	for (int i = 0; i < argc; i++) {
		if (only_operands || argv[i][0] != '-' || !argv[i][1]) {
			argv[operands++] = argv[i];
		} else if (!strcmp(argv[i], "--")) {
			only_operands = true;
		} else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			print_help(command, table);
			exit(0);
		} else {
			i = take_option(command, table, argc, argv, i);
		}
	}
	return operands;
}

void hatch_operands_limit(const struct hatch_verb *command, int count, int most, char **argv)
{
	if (count > most)
		hatch_report_fail(HATCH_EXIT_USAGE, "unexpected word '%s': see hatch %s --help",
				  argv[most], command->name);
}
