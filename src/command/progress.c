/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "report.h"

static atomic_bool shown;

void hatch_progress_end(void)
{
	if (atomic_exchange(&shown, false))
		fputs("\r\033[K", stderr);
}

/* By any thread; one call of stdio each, so that lines do not mix. */
void hatch_progress_tell(void *arg, const char *what)
{
	(void)arg;
	if (!*what) {
		hatch_progress_end();
	} else if (isatty(STDERR_FILENO)) {
		fprintf(stderr, "\r\033[Khatch: %s", what);
		atomic_store(&shown, true);
	} else {
		hatch_report_note("%s", what);
	}
}
