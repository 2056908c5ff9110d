/* SPDX-License-Identifier: MIT */
/* hatch image create: a disk with a small Debian on it. tools/make-image does the work. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verbs.h"
#include "qemu.h"
#include "report.h"
#include "tool.h"

/* What the finished system takes, with room to write in. */
#define SIZE_LEAST (UINT64_C(1) << 30)

struct create {
	struct hatch_machine machine; /* that finishes the image */
	const char *file;
	const char *size;
	const char *release;
	bool force;
};

/* The folder that FILE is to be in. */
static char *folder_of(const char *file)
{
	return dirname(hatch_text_format("%s", file));
}

static void check_file(const struct create *create)
{
	char *folder = folder_of(create->file);
	struct stat status;

	if (!lstat(create->file, &status)) {
		if (!S_ISREG(status.st_mode))
			hatch_report_fail(HATCH_EXIT_FAILED,
					  "%s is there and not a file: give another name",
					  create->file);
		if (!create->force)
			hatch_report_fail(HATCH_EXIT_FAILED,
					  "%s is there: give another name, or --force to lose what "
					  "is in it",
					  create->file);
	}
	if (stat(folder, &status) || access(folder, W_OK | X_OK))
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot make a file in the folder %s: %m; check the path",
				  folder);
}

static char *base_image(const struct create *create)
{
	const char *const argv[] = { hatch_root_path("tools/make-image"),
				     "--qemu",
				     hatch_qemu_need(&create->machine),
				     "--firmware",
				     create->machine.firmware ?: "default",
				     create->release,
				     NULL };

	return hatch_tool_read(argv);
}

static int create_image(const struct create *create, uint64_t size)
{
	const char *const argv[] = { hatch_root_path("tools/copy-image"), base_image(create),
				     create->file,
				     hatch_text_format("%llu", (unsigned long long)size), NULL };
	int status = hatch_tool_call(argv);

	if (!status)
		hatch_report_note("made %s; start it with: hatch boot --disk %s --net user",
				  create->file, create->file);
	return status;
}

static const char *check_words(const struct hatch_verb *self, int operands, char **argv)
{
	if (!operands || strcmp(argv[0], "create") != 0)
		hatch_report_fail(HATCH_EXIT_USAGE, "what about images? hatch image create FILE");
	if (operands < 2)
		hatch_report_fail(HATCH_EXIT_USAGE, "which file? hatch image create FILE");
	hatch_operands_limit(self, operands, 2, argv);
	return argv[1];
}

int hatch_verb_image(const struct hatch_verb *self, int argc, char **argv)
{
	static struct create create;
	const struct hatch_option options[] = {
		{ "--size", "SIZE", "of the disk, with a unit: 1G at least (default: 2G)",
		  HATCH_OPTION_TEXT, &create.size },
		{ "--release", "NAME", "of the distribution (default: trixie; on Ubuntu its own)",
		  HATCH_OPTION_TEXT, &create.release },
		{ "--force", NULL, "take the place of a FILE that is there", HATCH_OPTION_FLAG,
		  &create.force },
		{ "--qemu", "FILE", "the QEMU that finishes the system", HATCH_OPTION_TEXT,
		  &create.machine.qemu },
		{ "--firmware", "FILE", "its M-mode firmware", HATCH_OPTION_TEXT,
		  &create.machine.firmware },
		{ 0 },
	};
	int operands = hatch_options_parse(self, options, argc, argv);
	uint64_t size;

	create.file = check_words(self, operands, argv);
	size = hatch_size_parse("--size", create.size ?: "2G", SIZE_LEAST);
	check_file(&create);
	if (create.machine.firmware)
		hatch_file_check("firmware", create.machine.firmware);
	return create_image(&create, size);
}
