/* SPDX-License-Identifier: MIT */
/*
 * What the command says and how it ends. Exit codes are those of env(1) and timeout(1), so that
 * a guest's own code (anything else) can be told from the command's troubles.
 */
#ifndef HATCH_COMMAND_REPORT_H
#define HATCH_COMMAND_REPORT_H

enum hatch_status {
	HATCH_EXIT_USAGE = 2,
	HATCH_EXIT_TIMEOUT = 124,
	HATCH_EXIT_FAILED = 125,
	HATCH_EXIT_NOT_FOUND = 127,
};

/* Names the subcommand in every later message. NAME must outlive the program's messages. */
void hatch_report_begin(const char *name);

/* One line on standard error: "hatch: NAME: ...". */
void hatch_report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, then exit(STATUS): exit handlers restore the terminal and remove files. */
_Noreturn void hatch_report_fail(enum hatch_status status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A formatted string of the heap. The command runs once and briefly: such strings are never
 * freed, and a failed allocation ends the program.
 */
char *hatch_text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
