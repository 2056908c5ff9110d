/* SPDX-License-Identifier: MIT */
/*
 * Checked here as well as in the machine, so that a wrong name ends the program before a kernel is
 * fetched. The names come from the build, which has them from the emulator's side.
 */
#include "emulate.h"

#include <stdbool.h>
#include <string.h>

#include "report.h"

static bool is_in(const char *list, const char *name, size_t length)
{
	for (size_t size; *list; list += size + (list[size] == ',')) {
		size = strcspn(list, ",");
		if (size == length && !memcmp(list, name, length))
			return true;
	}
	return false;
}

/* Names that begin with "za" are those of atomic extensions, and so is the single letter. */
static bool is_atomic(const char *name, size_t length)
{
	return (length == 1 && *name == 'a') || (length > 1 && !memcmp(name, "za", 2));
}

static void check_name(const char *name, size_t length)
{
	if (is_in("all," HATCH_EMULATED, name, length))
		return;
	if (is_atomic(name, length))
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "--emulate: %.*s is atomic, and several steps are not: it cannot "
				  "be emulated; take a --cpu that has it",
				  (int)length, name);
	hatch_report_fail(HATCH_EXIT_USAGE,
			  "--emulate: unknown extension '%.*s': give some of %s, or all",
			  (int)length, name, HATCH_EMULATED);
}

void hatch_emulate_check(const char *list)
{
	while (list) {
		size_t length = strcspn(list, ",");

		check_name(list, length);
		list = list[length] ? list + length + 1 : NULL;
	}
}
