/* SPDX-License-Identifier: MIT */
/* hatch doctor: what is there, what is missing, and what to do about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "verbs.h"
#include "qemu.h"
#include "report.h"
#include "session.h"
#include "tool.h"

enum severity {
	GOOD,
	WANTED, /* something that Linux's boot does without is missing */
	NEEDED, /* boot would fail */
};

static const struct program {
	const char *name;
	const char *remedy;
	enum severity if_missing;
} programs[] = {
	{ "riscv64-unknown-elf-gcc", "apt install gcc-riscv64-unknown-elf", NEEDED },
	{ "gcc", "apt install gcc libc6-dev", NEEDED },
	{ "meson", "apt install meson", NEEDED },
	{ "ninja", "apt install ninja-build", NEEDED },
	{ "riscv64-linux-gnu-gcc", "for hatch run: apt install gcc-riscv64-linux-gnu", WANTED },
	{ "tar", "for run --image: apt install tar", WANTED },
	{ "xz", "for run --image: apt install xz-utils", WANTED },
	{ "clang-format", "for the tests: apt install clang-format", WANTED },
	{ "dtc", "for the tests: apt install device-tree-compiler", WANTED },
	{ "gdb-multiarch", "for --debug: apt install gdb-multiarch", WANTED },
};

static bool coloured(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

static enum severity tell(enum severity severity, const char *subject, const char *text)
{
	static const char *const word[] = { "ok", "absent", "MISSING" };
	static const char *const colour[] = { "\033[32m", "\033[33m", "\033[31m" };
	bool colours = coloured();

	printf("%s%-8s%s%-24s %s\n", colours ? colour[severity] : "", word[severity],
	       colours ? "\033[0m" : "", subject, text);
	return severity;
}

static enum severity worse(enum severity a, enum severity b)
{
	return a > b ? a : b;
}

static enum severity check_program(const struct program *program)
{
	const char *const argv[] = { program->name, "--version", NULL };
	char *version = hatch_tool_probe(argv);

	return version ? tell(GOOD, program->name, version)
		       : tell(program->if_missing, program->name, program->remedy);
}

/*
 * Single-letter extensions of an ISA string stand between "rv64" and the first underscore. It is
 * in the device tree that QEMU dumps, a binary file, which may hold the bare "rv64i" as well.
 */
static bool tree_has_h(FILE *tree)
{
	char data[64 * 1024];
	size_t size = fread(data, 1, sizeof(data) - 1, tree);
	char *isa = data;

	data[size] = '\0';
	while ((isa = memmem(isa, data + size - isa, "rv64i", 5))) {
		size_t letters = strcspn(isa, "_");

		if (memchr(isa, 'h', letters))
			return true;
		isa += letters;
	}
	return false;
}

static enum severity check_hypervisor(const char *qemu)
{
	char *path = hatch_session_path("tree");
	const char *const argv[] = {
		qemu,	"-M",	hatch_text_format("virt,dumpdtb=%s", hatch_qemu_quote(path)),
		"-cpu", "rv64", NULL
	};
	FILE *tree = hatch_tool_probe(argv) ? fopen(path, "re") : NULL;
	bool has = tree && tree_has_h(tree);

	if (tree)
		fclose(tree);
	return has ? tell(GOOD, "hypervisor extension", "-cpu rv64 has H")
		   : tell(NEEDED, "hypervisor extension",
			  "this QEMU's rv64 has no H: use 7.2 or newer");
}

static enum severity check_qemu(const struct hatch_machine *machine)
{
	char *qemu = hatch_qemu_find(machine);
	const char *const argv[] = { qemu, "--version", NULL };
	char *version = qemu ? hatch_tool_probe(argv) : NULL;

	if (!version)
		return tell(NEEDED, "qemu-system-riscv64",
			    "apt install qemu-system-riscv (Debian 12: qemu-system-misc)");
	tell(GOOD, "qemu-system-riscv64", version);
	return check_hypervisor(qemu);
}

static enum severity check_firmware(const struct hatch_machine *machine)
{
	const char *file = "/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin";

	if (machine->firmware)
		file = machine->firmware;
	else if (machine->qemu)
		return tell(GOOD, "firmware", "that QEMU's own");
	return access(file, R_OK) ? tell(NEEDED, "firmware", "apt install opensbi")
				  : tell(GOOD, "firmware", file);
}

/* An empty cache is no fault: boot fills it. */
static enum severity check_cache(const char *name)
{
	char *path = hatch_text_format("%s/%s/current", hatch_cache_folder(), name);
	char *subject = hatch_text_format("cache: %s", name);
	char *target = realpath(path, NULL);

	return target ? tell(GOOD, subject, target)
		      : tell(WANTED, subject, "the first boot fetches it");
}

/* FOLDER may not exist yet: its nearest parent tells. */
static enum severity check_disk(char *folder)
{
	enum { NEEDED_MIB = 500 }; /* the kernel with its modules, packed and unpacked */
	struct statvfs disk;
	unsigned long long mib;
	char *text;

	while (statvfs(folder, &disk)) {
		char *slash = strrchr(folder, '/');

		if (!slash || slash == folder)
			return tell(NEEDED, "free disk", "cannot tell: check HOME");
		*slash = '\0';
	}
	mib = (unsigned long long)disk.f_bavail * disk.f_frsize >> 20;
	text = hatch_text_format("%llu MiB at %s", mib, folder);
	return tell(mib < NEEDED_MIB ? WANTED : GOOD, "free disk", text);
}

int hatch_verb_doctor(const struct hatch_verb *self, int argc, char **argv)
{
	static struct hatch_machine machine;
	const struct hatch_option options[] = {
		{ "--qemu", "FILE", "the QEMU to look at", HATCH_OPTION_TEXT, &machine.qemu },
		{ "--firmware", "FILE", "the firmware to look for", HATCH_OPTION_TEXT,
		  &machine.firmware },
		{ 0 },
	};
	enum severity worst = GOOD;

	hatch_operands_limit(self, hatch_options_parse(self, options, argc, argv), 0, argv);
	hatch_session_begin();
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		worst = worse(worst, check_program(&programs[i]));
	worst = worse(worst, check_qemu(&machine));
	worst = worse(worst, check_firmware(&machine));
	worst = worse(worst, check_cache("kernel"));
	worst = worse(worst, check_cache("busybox"));
	worst = worse(worst, check_cache("libfdt"));
	worst = worse(worst, check_disk(hatch_cache_folder()));
	puts(worst == NEEDED ? "hatch boot would fail: see MISSING above"
			     : "hatch boot would work");
	return worst == NEEDED ? HATCH_EXIT_FAILED : 0;
}
