/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static char folder[] = "/tmp/hatch-command-XXXXXX";
static const char *qemu;
static int descriptors;

const char *world_path(const char *name)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void make_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(world_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

void world_make(const char *fake)
{
	static const char *const folders[] = { "data",	     "data/tools",	 "data/tools/lib",
					       "data/guest", "data/guest/linux", "cache" };
	char script[400];

	qemu = fake;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		assert_int_equal(mkdir(world_path(folders[i]), 0777), 0);
	make_file("data/09-linux.elf", "program", 0666);
	make_file("data/agent", "agent", 0777);
	make_file("initrd", "initrd", 0666);
	snprintf(script, sizeof(script), "#!/bin/sh\necho made >>%s/made\necho %s/initrd\n", folder,
		 folder);
	make_file("data/tools/make-initramfs", script, 0777);
	snprintf(script, sizeof(script),
		 "#!/bin/sh\nmkdir -p %s/cache/kernel/6/\necho x >%s/cache/kernel/6/Image\n"
		 "ln -sfn 6 %s/cache/kernel/current\n",
		 folder, folder, folder);
	make_file("data/tools/fetch-debian", script, 0777);
	setenv("HATCH_DATA", world_path("data"), 1);
	setenv("HATCH_CACHE", world_path("cache"), 1);
	setenv("XDG_DATA_HOME", world_path("home"), 1);
	setenv("FAKE_LOG", world_path("log"), 1);
	unsetenv("HATCH_ROOT");
	unsetenv("HATCH_BUILD");
}

void world_remove(void)
{
	char command[400];

	snprintf(command, sizeof(command), "chmod -R u+w %s && rm -rf %s", folder, folder);
	if (system(command))
		fprintf(stderr, "%s is left\n", folder);
}

int world_starts(const char *what)
{
	FILE *file = fopen(world_path("log"), "re");
	char line[100];
	int count = 0;

	while (file && fgets(line, sizeof(line), file))
		count += !strncmp(line, what, strlen(what));
	if (file)
		fclose(file);
	return count;
}

void world_forget_starts(void)
{
	unlink(world_path("log"));
}

struct hatch_command *shell(const char *script)
{
	struct hatch_command *command = hatch_command_new("sh");

	assert_non_null(command);
	hatch_command_qemu(command, qemu);
	hatch_command_arg(command, "-c");
	hatch_command_arg(command, script);
	return command;
}

struct hatch_output expect_output(struct hatch_command *command, int code)
{
	struct hatch_output output;
	int error = hatch_command_output(command, &output);

	if (error)
		fail_msg("%d: %s", error, hatch_command_problem(command));
	if (hatch_exit_code(&output.exit) != code)
		fail_msg("exit code %d (kind %d), not %d: %s", hatch_exit_code(&output.exit),
			 output.exit.kind, code, output.exit.problem);
	return output;
}

int count_descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

/* Those of all threads. */
int count_children(void)
{
	DIR *list = opendir("/proc/self/task");
	struct dirent *entry;
	int count = 0, pid;

	while ((entry = readdir(list))) {
		char path[300];
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/children", entry->d_name);
		file = fopen(path, "re");
		while (file && fscanf(file, "%d", &pid) == 1)
			count++;
		if (file)
			fclose(file);
	}
	closedir(list);
	return count;
}

long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long total, resident = 0;

	if (fscanf(file, "%ld %ld", &total, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int remember_things(void **state)
{
	(void)state;
	descriptors = count_descriptors();
	unsetenv("FAKE");
	return 0;
}

int check_things(void **state)
{
	(void)state;
	assert_int_equal(count_descriptors(), descriptors);
	assert_int_equal(count_children(), 0);
	return 0;
}
