/* SPDX-License-Identifier: MIT */
/* hatch demo: the programs in demos/. hatch qemu: any program of the board. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blob.h"
#include "verbs.h"
#include "qemu.h"
#include "report.h"
#include "session.h"
#include "tool.h"

enum {
	MEMORY_LEAST = 8 << 20, /* firmware takes the first two */
};

static const char memory_default[] = "256M";
static const char linux_demo[] = "09-linux";

/* A demo's folder is called NN-name. */
static int is_demo(const struct dirent *entry)
{
	const char *name = entry->d_name;

	return isdigit((unsigned char)name[0]) && isdigit((unsigned char)name[1]) && name[2] == '-';
}

static int find_demos(struct dirent ***entries)
{
	char *folder = hatch_root_path("demos");
	int count = scandir(folder, entries, is_demo, alphasort);

	if (count < 0)
		hatch_report_fail(HATCH_EXIT_FAILED, "cannot read %s: %m; check the checkout",
				  folder);
	return count;
}

/* What NAME's README says in its first heading; "" if it has none. */
static char *heading(const char *name)
{
	FILE *readme = fopen(hatch_root_path("demos/%s/README.md", name), "re");
	char *line = NULL;
	size_t size = 0;

	while (readme && getline(&line, &size, readme) >= 0) {
		if (line[0] != '#')
			continue;
		line[strcspn(line, "\n")] = '\0';
		fclose(readme);
		return line + strspn(line, "# ");
	}
	if (readme)
		fclose(readme);
	return "";
}

/* A heading may begin with the demo's own name, which the list has already shown. */
static const char *title(const char *name)
{
	const char *text = heading(name);
	size_t length = strlen(name);

	if (strncmp(text, name, length))
		return text;
	return text + length + strspn(text + length, " :-");
}

static int list_demos(void)
{
	struct dirent **entries;
	int count = find_demos(&entries);

	for (int i = 0; i < count; i++)
		printf("%-16s%s\n", entries[i]->d_name, title(entries[i]->d_name));
	puts("\nhatch demo NAME runs one; NAME is the number, the name, or both.");
	return 0;
}

/* WANTED is the number (its leading zero may be missing), the name, or both. */
static bool is_called(const char *demo, const char *wanted)
{
	char *end;
	long number = strtol(wanted, &end, 10);

	if (end != wanted && !*end)
		return number == strtol(demo, NULL, 10);
	return !strcmp(demo, wanted) || !strcmp(demo + 3, wanted);
}

static const char *find_demo(const char *wanted)
{
	struct dirent **entries;
	int count = find_demos(&entries);

	for (int i = 0; i < count; i++) {
		if (is_called(entries[i]->d_name, wanted))
			return entries[i]->d_name;
	}
	hatch_report_fail(HATCH_EXIT_USAGE, "no demo is called '%s': hatch demo lists them",
			  wanted);
}

static int run_program(struct hatch_run *run)
{
	const struct hatch_machine *machine = run->machine;

	run->memory = hatch_memory_parse(machine->memory, memory_default, MEMORY_LEAST);
	hatch_session_begin();
	hatch_qemu_need(machine);
	return hatch_qemu_run(run);
}

/* A demo with a list `files` gets the archive that tools/make-files makes of it. */
static void give_files(struct hatch_run *run, const char *name)
{
	const char *list = hatch_root_path("demos/%s/files", name);
	const char *const argv[] = { hatch_root_path("tools/make-files"), list, NULL };

	if (!access(list, R_OK))
		hatch_blob_give_file(run, "files", hatch_tool_read(argv));
}

/* The options of a demo are options of boot, too: what remains without the demo's name. */
static int boot_instead(const struct hatch_verb *self, struct hatch_list words, const char *name)
{
	int count = 0;

	for (size_t i = 0; i < words.count; i++) {
		if (words.item[i] != name)
			words.item[count++] = words.item[i];
	}
	return hatch_verb_boot(self, count, (char **)words.item);
}

static int run_demo(const struct hatch_machine *machine, const char *name)
{
	struct hatch_run run = {
		.machine = machine,
		.program = hatch_build_path("demos/%s/%s.elf", name, name),
	};

	give_files(&run, name);
	return run_program(&run);
}

/* A program of this machine, which has its own ways to choose. */
_Noreturn static void run_here(const struct hatch_machine *machine, const char *name)
{
	const struct hatch_machine nothing = { 0 };
	char *const argv[] = { hatch_build_path("demos/%s/%s", name, name), NULL };

	if (memcmp(machine, &nothing, sizeof(nothing)) != 0)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "%s is a program of this machine: it takes no options", name);
	execv(argv[0], argv);
	hatch_report_fail(HATCH_EXIT_FAILED, "cannot run %s: %m; build it again", argv[0]);
}

/* NAME=FILE, as the user gave it. */
static void give_blob(struct hatch_run *run, const char *blob)
{
	const char *file = strchr(blob, '=');

	if (!file || file == blob || strcspn(blob, ", ") < (size_t)(file - blob))
		hatch_report_fail(HATCH_EXIT_USAGE, "--blob %s: not NAME=FILE", blob);
	hatch_file_check("blob", file + 1);
	hatch_blob_give_file(run, hatch_text_format("%.*s", (int)(file - blob), blob), file + 1);
}

int hatch_verb_demo(const struct hatch_verb *self, int argc, char **argv)
{
	static struct hatch_machine machine;
	const struct hatch_option options[] = {
		{ "--debug", NULL, "wait for gdb, and show the command to attach it",
		  HATCH_OPTION_FLAG, &machine.debug },
		HATCH_MACHINE_OPTIONS(&machine),
		{ 0 },
	};
	struct hatch_list words = { 0 };
	const char *name;
	int operands;

	for (int i = 0; i < argc; i++)
		hatch_list_add(&words, argv[i]);
	operands = hatch_options_parse(self, options, argc, argv);
	hatch_operands_limit(self, operands, 1, argv);
	if (!operands)
		return list_demos();
	name = find_demo(argv[0]);
	/* Linux needs a kernel and an initrd besides its program. */
	if (!strcmp(name, linux_demo))
		return boot_instead(self, words, argv[0]);
	if (!access(hatch_build_path("demos/%s/%s", name, name), X_OK))
		run_here(&machine, name);
	return run_demo(&machine, name);
}

int hatch_verb_qemu(const struct hatch_verb *self, int argc, char **argv)
{
	static struct hatch_machine machine;
	struct hatch_run run = { .machine = &machine };
	struct hatch_list blobs = { 0 };
	const struct hatch_option options[] = {
		{ "--blob", "NAME=FILE", "give the program a file; may be repeated",
		  HATCH_OPTION_LIST, &blobs },
		{ "--debug", NULL, "wait for gdb, and show the command to attach it",
		  HATCH_OPTION_FLAG, &machine.debug },
		HATCH_MACHINE_OPTIONS(&machine),
		{ 0 },
	};
	int operands = hatch_options_parse(self, options, argc, argv);

	hatch_operands_limit(self, operands, 1, argv);
	if (!operands)
		hatch_report_fail(HATCH_EXIT_USAGE, "which program? hatch qemu FILE.elf");
	for (size_t i = 0; i < blobs.count; i++)
		give_blob(&run, blobs.item[i]);
	run.program = argv[0];
	return run_program(&run);
}
