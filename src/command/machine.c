/* SPDX-License-Identifier: MIT */
/* The machine's options: checked here, so that QEMU only ever sees sound ones. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu.h"
#include "report.h"

static const char program_name[] = "qemu-system-riscv64";

/* Log2 of the unit's bytes; -1 if it is none of ours. */
static int unit_shift(const char *unit)
{
	switch (*unit && !unit[1] ? *unit : '?') {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return -1;
	}
}

uint64_t hatch_size_parse(const char *option, const char *text, uint64_t least)
{
	unsigned long long number;
	char *unit;
	int shift;

	errno = 0;
	number = strtoull(text, &unit, 10);
	shift = unit_shift(unit);
	if (text[0] < '0' || text[0] > '9' || shift < 0 || errno)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "%s %s: not a size: give a number and K, M or G, such as 512M",
				  option, text);
	if (number > (UINT64_C(1) << 40) >> shift)
		hatch_report_fail(HATCH_EXIT_USAGE, "%s %s: too much: 1024G is the most", option,
				  text);
	if (number << shift < least)
		hatch_report_fail(HATCH_EXIT_USAGE, "%s %s: too little: %lluM is the least", option,
				  text, (unsigned long long)least >> 20);
	return number << shift;
}

uint64_t hatch_memory_parse(const char *text, const char *fallback, uint64_t least)
{
	return hatch_size_parse("--memory", text ? text : fallback, least);
}

char *hatch_qemu_quote(const char *text)
{
	char *quoted = hatch_text_format("%s%s", text, text); /* room enough */
	char *to = quoted;

	for (; *text; text++) {
		*to++ = *text;
		if (*text == ',')
			*to++ = ',';
	}
	*to = '\0';
	return quoted;
}

void hatch_file_check(const char *what, const char *file)
{
	struct stat status;

	if (stat(file, &status) || access(file, R_OK))
		hatch_report_fail(HATCH_EXIT_FAILED, "cannot read the %s %s: %m; check the path",
				  what, file);
	if (!S_ISREG(status.st_mode))
		hatch_report_fail(HATCH_EXIT_FAILED, "the %s %s is not a file: check the path",
				  what, file);
}

static char *find_in_path(const char *name)
{
	char *folders = hatch_text_format("%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");

	for (char *folder = strtok(folders, ":"); folder; folder = strtok(NULL, ":")) {
		char *path = hatch_text_format("%s/%s", folder, name);

		if (!access(path, X_OK))
			return path;
	}
	return NULL;
}

char *hatch_qemu_find(const struct hatch_machine *machine)
{
	const char *name = machine->qemu ? machine->qemu : program_name;

	if (!strchr(name, '/'))
		return find_in_path(name);
	return access(name, X_OK) ? NULL : hatch_text_format("%s", name);
}

char *hatch_qemu_need(const struct hatch_machine *machine)
{
	char *qemu = hatch_qemu_find(machine);

	if (!qemu && machine->qemu)
		hatch_report_fail(HATCH_EXIT_NOT_FOUND, "no QEMU at %s: check --qemu",
				  machine->qemu);
	if (!qemu)
		hatch_report_fail(HATCH_EXIT_NOT_FOUND,
				  "no qemu-system-riscv64 in PATH: install the package "
				  "qemu-system-riscv (Debian 12: qemu-system-misc) or give --qemu");
	return qemu;
}
