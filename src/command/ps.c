/* SPDX-License-Identifier: MIT */
/* hatch ps and hatch kill: the runs that live, and signals for them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "registry.h"
#include "report.h"
#include "verbs.h"

enum { COMMAND_MOST = 60 }; /* columns, where the output is no terminal's */

/* Columns for the last field, whose first is START. */
static int width_left(int start)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return COMMAND_MOST;
	return size.ws_col > start + 8 ? size.ws_col - start : 8;
}

/* On a terminal a command is cut where the line ends; elsewhere somebody may look for words. */
static void print_command(const char *command, int start)
{
	int width = width_left(start);

	if (isatty(STDOUT_FILENO) && (int)strlen(command) > width)
		printf("%.*s...\n", width - 3, command);
	else
		puts(command);
}

static const char *time_of(time_t seconds)
{
	static char text[32];
	struct tm local;

	if (!localtime_r(&seconds, &local) || !strftime(text, sizeof(text), "%F %T", &local))
		return "?";
	return text;
}

static int name_width(const struct hatch_entry *entry)
{
	int width = 4;

	for (; entry->name; entry++) {
		if ((int)strlen(entry->name) > width)
			width = (int)strlen(entry->name);
	}
	return width;
}

static void print_table(const struct hatch_entry *entry)
{
	int width = name_width(entry);

	printf("%-*s  %7s  %4s  %7s  %-19s  %s\n", width, "NAME", "PID", "CPUS", "MEMORY",
	       "STARTED", "COMMAND");
	for (; entry->name; entry++) {
		printf("%-*s  %7d  %4u  %6lluM  %-19s  ", width, entry->name, (int)entry->pid,
		       entry->cpus, (unsigned long long)entry->memory >> 20,
		       time_of(entry->started));
		print_command(entry->command, width + 48);
	}
}

int hatch_verb_ps(const struct hatch_verb *self, int argc, char **argv)
{
	bool quiet = false;
	const struct hatch_option options[] = {
		{ "-q, --quiet", NULL, "only the names", HATCH_OPTION_FLAG, &quiet },
		{ 0 },
	};
	struct hatch_entry *list;

	hatch_operands_limit(self, hatch_options_parse(self, options, argc, argv), 0, argv);
	list = hatch_registry_list();
	if (!quiet)
		print_table(list);
	for (; quiet && list->name; list++)
		puts(list->name);
	return 0;
}

/* ---- kill ---- */

/* A name, with or without SIG ahead, or a number. */
static int signal_of(const char *text)
{
	const char *name = strncasecmp(text, "SIG", 3) ? text : text + 3;
	char *end;
	long number = strtol(text, &end, 10);

	if (*text && !*end && number > 0 && number < SIGRTMIN)
		return (int)number;
	for (int i = 1; i < SIGRTMIN; i++) {
		const char *known = sigabbrev_np(i);

		if (known && !strcasecmp(known, name))
			return i;
	}
	hatch_report_fail(HATCH_EXIT_USAGE,
			  "no signal is called '%s': give a name such as TERM, or a number", text);
}

/* Whether it reached its run. */
static bool kill_one(const char *name, int number)
{
	switch (hatch_registry_pass(name, number)) {
	case HATCH_PASSED:
		return true;
	case HATCH_PASSED_NOBODY:
		hatch_report_note("no run is called '%s': hatch ps lists them", name);
		return false;
	case HATCH_PASSED_HIDDEN:
		hatch_report_note("'%s' runs in another container: kill it from there", name);
		return false;
	case HATCH_PASSED_STUCK:
		hatch_report_note("'%s' has not ended within ten seconds: see hatch ps, and end "
				  "its process by kill -9",
				  name);
		return false;
	case HATCH_PASSED_FAILED:
		break;
	}
	hatch_report_note("cannot send a signal to '%s': %m; is its process yours?", name);
	return false;
}

int hatch_verb_kill(const struct hatch_verb *self, int argc, char **argv)
{
	const char *text = "TERM";
	const struct hatch_option options[] = {
		{ "-s, --signal", "SIGNAL",
		  "a name or a number (default: TERM); KILL switches the machine off",
		  HATCH_OPTION_TEXT, &text },
		{ 0 },
	};
	int count = hatch_options_parse(self, options, argc, argv);
	int number = signal_of(text);
	bool all = true;

	if (!count)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "which run? hatch kill NAME; hatch ps lists them");
	for (int i = 0; i < count; i++)
		all &= kill_one(argv[i], number);
	return all ? 0 : 1;
}
