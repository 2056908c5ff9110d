/* SPDX-License-Identifier: MIT */
/*
 * library N [QEMU FIRMWARE]: runs N commands, one after the other, with the library, and counts what
 * this process has before and behind them: descriptors and threads. For tools/soak-run.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hatch/command.h>

static int count(const char *path)
{
	DIR *folder = opendir(path);
	int entries = 0;

	while (folder && readdir(folder))
		entries++;
	if (folder)
		closedir(folder);
	return entries;
}

static int run_one(int number, int argc, char **argv)
{
	struct hatch_command *command = hatch_command_new("echo");
	struct hatch_output output = { 0 };
	char text[32];
	int failed;

	snprintf(text, sizeof(text), "%d", number);
	hatch_command_arg(command, text);
	if (argc > 3) {
		hatch_command_qemu(command, argv[2]);
		hatch_command_firmware(command, argv[3]);
	}
	failed = hatch_command_output(command, &output);
	strcat(text, "\n");
	if (!failed && (hatch_exit_code(&output.exit) || strcmp(output.out, text)))
		failed = 1;
	if (failed)
		fprintf(stderr, "run %d: %s%s\n", number, hatch_command_problem(command),
			output.exit.problem);
	hatch_output_free(&output);
	hatch_command_free(command);
	return failed;
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 1, failed = 0;
	int descriptors, threads;

	failed += !!run_one(0, argc, argv);
	descriptors = count("/proc/self/fd");
	threads = count("/proc/self/task");
	for (int i = 1; i < runs; i++)
		failed += !!run_one(i, argc, argv);
	printf("%d %d\n", count("/proc/self/fd") - descriptors, count("/proc/self/task") - threads);
	return !!failed;
}
