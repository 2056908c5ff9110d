/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *command_name;

void hatch_report_begin(const char *name)
{
	command_name = name;
}

static void print_line(const char *format, va_list values)
{
	fputs("hatch: ", stderr);
	if (command_name)
		fprintf(stderr, "%s: ", command_name);
	vfprintf(stderr, format, values);
	fputc('\n', stderr);
}

void hatch_report_note(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	print_line(format, values);
	va_end(values);
}

void hatch_report_fail(enum hatch_status status, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	print_line(format, values);
	va_end(values);
	exit(status);
}

char *hatch_text_format(const char *format, ...)
{
	va_list values;
	char *text;

	va_start(values, format);
	if (vasprintf(&text, format, values) < 0)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "out of memory: close some programs and run again");
	va_end(values);
	return text;
}
