/* SPDX-License-Identifier: MIT */
/* hatch run: a command in a Linux of its own, with the interface of a child process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attend.h"
#include "describe.h"
#include "progress.h"
#include "quote.h"
#include "registry.h"
#include "report.h"
#include "verbs.h"

struct run {
	struct hatch_described described;
	const char *name;
	bool interactive, remove; /* both are so anyway */
	bool terminal, dry;
};

/* What the library cannot do: a wrong word is a matter of usage. */
static _Noreturn void fail(const struct hatch_command *command)
{
	bool usage = hatch_command_error(command) == HATCH_COMMAND_EINVAL;

	hatch_progress_end();
	hatch_report_fail(usage ? HATCH_EXIT_USAGE : HATCH_EXIT_FAILED, "%s",
			  hatch_command_problem(command));
}

static int show(struct hatch_command *command)
{
	char **words = hatch_command_words(command);

	if (!words)
		fail(command);
	puts(hatch_shell_words((const char *const *)words));
	free(words);
	return fflush(stdout) ? HATCH_EXIT_FAILED : 0;
}

static void enter(const struct run *run, char **words)
{
	struct hatch_entry entry = {
		.name = run->name,
		.cpus = run->described.processors,
		.memory = run->described.bytes,
		.started = time(NULL),
		.command = hatch_shell_words((const char *const *)words),
	};

	hatch_registry_enter(&entry, words[0] ? words[0] : run->described.image);
}

static int run_command(const struct run *run, struct hatch_command *command, char **words)
{
	struct hatch_child *child;
	int status;

	hatch_attend_begin(run->terminal);
	enter(run, words);
	if (run->terminal)
		hatch_attend_terminal(command);
	hatch_command_progress(command, hatch_progress_tell, NULL);
	if (hatch_command_spawn(command, &child))
		fail(command);
	status = hatch_attend(child);
	hatch_command_free(command);
	return status;
}

int hatch_verb_run(const struct hatch_verb *self, int argc, char **argv)
{
	static struct run run;
	struct hatch_described *to = &run.described;
	const struct hatch_option options[] = {
		{ "-e, --env", "NAME[=VALUE]", "a variable; a NAME alone: as we have it",
		  HATCH_OPTION_LIST, &to->variables },
		{ "-v, --volume", "HOST:GUEST[:HOW]",
		  "a folder of ours; HOW: rw (default), ro, or overlay", HATCH_OPTION_LIST,
		  &to->volumes },
		{ "-w, --workdir", "DIR", "the folder of the guest to begin in (default: /)",
		  HATCH_OPTION_TEXT, &to->folder },
		{ "-u, --user", "USER[:GROUP]", "names of the guest or numbers (default: root)",
		  HATCH_OPTION_TEXT, &to->user },
		{ "-p, --publish", "[HOST:]GUEST",
		  "a port of 127.0.0.1 for one of the guest; /udp behind it", HATCH_OPTION_LIST,
		  &to->ports },
		{ "-t, --tty", NULL, "the command has a terminal: ours", HATCH_OPTION_FLAG,
		  &run.terminal },
		{ "-i, --interactive", NULL, "as always: standard input is passed on",
		  HATCH_OPTION_FLAG, &run.interactive },
		{ "--rm", NULL, "as always: the guest ends with its command", HATCH_OPTION_FLAG,
		  &run.remove },
		{ "-m, --memory", "SIZE", "RAM: 64M at least (default: 512M)", HATCH_OPTION_TEXT,
		  &to->memory },
		{ "--cpus", "N", "processors, 1 to 8 (default: 1)", HATCH_OPTION_TEXT, &to->cpus },
		{ "--image", "PATH", "the root: a folder, a tar archive, an OCI layout; riscv64",
		  HATCH_OPTION_TEXT, &to->image },
		{ "--persist", "NAME", "keep what is written to the root, for the next with NAME",
		  HATCH_OPTION_TEXT, &to->persist },
		{ "--timeout", "SEC", "switch the machine off after SEC seconds, exit code 124",
		  HATCH_OPTION_TEXT, &to->timeout },
		{ "--net, --network", "NET", "user: behind ours; none (default)", HATCH_OPTION_TEXT,
		  &to->net },
		{ "--name", "NAME", "for hatch ps and hatch kill (default: the command's)",
		  HATCH_OPTION_TEXT, &run.name },
		{ "--hostname", "NAME", "the guest's (default: hatch)", HATCH_OPTION_TEXT,
		  &to->hostname },
		{ "--kernel", "FILE", "Linux Image (default: Debian's)", HATCH_OPTION_TEXT,
		  &to->kernel },
		{ "--qemu", "FILE", "the QEMU to run (default: qemu-system-riscv64)",
		  HATCH_OPTION_TEXT, &to->qemu },
		{ "--firmware", "FILE", "M-mode firmware (default: QEMU's OpenSBI)",
		  HATCH_OPTION_TEXT, &to->firmware },
		{ "--dry-run", NULL, "only print what would be started", HATCH_OPTION_FLAG,
		  &run.dry },
		{ "--debug", NULL, "boot anew, the kernel's console on standard error",
		  HATCH_OPTION_FLAG, &to->debug },
		{ "--gdb", NULL, "boot anew, and wait for gdb at 127.0.0.1:1234", HATCH_OPTION_FLAG,
		  &to->gdb },
		{ 0 },
	};
	int count = hatch_options_parse_ahead(self, options, argc, argv);
	struct hatch_command *command;

	if (!count && !to->image)
		hatch_report_fail(HATCH_EXIT_USAGE, "which command? hatch run COMMAND, such as "
						    "hatch run uname -a");
	argv[count] = NULL;
	if (run.name)
		hatch_registry_check(run.name);
	command = hatch_describe(to, argv);
	return run.dry ? show(command) : run_command(&run, command, argv);
}
