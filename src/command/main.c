/* SPDX-License-Identifier: MIT */
/* The hatch command: one table of subcommands. ./hatch builds and starts this program. */
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "verbs.h"
#include "report.h"

static int print_version(const struct hatch_verb *self, int argc, char **argv)
{
	(void)self, (void)argc, (void)argv;
	puts("hatch " HATCH_VERSION);
	return 0;
}

static int print_usage(const struct hatch_verb *self, int argc, char **argv);

static const struct hatch_verb commands[] = {
	{ "run", "COMMAND [ARGUMENT]...",
	  "run a command in a Linux of its own, like a child process", hatch_verb_run },
	{ "ps", "", "list the commands that run so", hatch_verb_ps },
	{ "kill", "NAME...", "send them a signal", hatch_verb_kill },
	{ "cache", "ls|rm|prune", "say what is kept for later, and remove it", hatch_verb_cache },
	{ "boot", "", "boot Linux (or another S-mode program) in a try block", hatch_verb_boot },
	{ "image", "create FILE", "make a disk with a small Debian on it", hatch_verb_image },
	{ "demo", "[NAME]", "list the demos, or run one", hatch_verb_demo },
	{ "test", "[SUITE|TEST]...", "run the tests", hatch_verb_test },
	{ "bench", "[ARGUMENT]...", "measure what events cost", hatch_verb_bench },
	{ "doctor", "", "say what is there and what is missing", hatch_verb_doctor },
	{ "qemu", "FILE.elf", "run a program of the board", hatch_verb_qemu },
	{ "version", "", "print the version", print_version },
	{ "help", "", "print this", print_usage },
};

enum {
	COMMANDS = sizeof(commands) / sizeof(commands[0]),
};

static int print_usage(const struct hatch_verb *self, int argc, char **argv)
{
	(void)self, (void)argc, (void)argv;
	puts("usage: hatch COMMAND [ARGUMENT]...\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s %-22s %s\n", commands[i].name, commands[i].operands,
		       commands[i].summary);
	puts("\nhatch COMMAND --help shows a command's options.");
	return 0;
}

static const struct hatch_verb *find_command(const char *name)
{
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version"))
		name = "version";
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

/* A closed standard stream would be taken by the next file or pipe, and muddled up with it. */
static void open_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct hatch_verb *command = find_command(argc > 1 ? argv[1] : "help");

	open_streams();
	if (!command)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "no command is called '%s': hatch help lists them", argv[1]);
	hatch_report_begin(command->name);
	return command->run(command, argc - 2, argv + 2);
}
