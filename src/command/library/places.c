/* SPDX-License-Identifier: MIT */
#include "places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* As tools/lib/cache.sh has it. */
static char *find_cache(void)
{
	const char *home = variable("HOME");

	if (variable("HATCH_CACHE"))
		return strdup(variable("HATCH_CACHE"));
	if (variable("XDG_CACHE_HOME"))
		return hatch_format("%s/hatch", variable("XDG_CACHE_HOME"));
	return home ? hatch_format("%s/.cache/hatch", home) : NULL;
}

static void of_checkout(struct hatch_places *places, const char *root, const char *build)
{
	places->program = hatch_format("%s/demos/09-linux/09-linux.elf", build);
	places->agent = hatch_format("%s/guest/linux/agent/agent", build);
	places->tools = hatch_format("%s/tools", root);
	places->guest = hatch_format("%s/guest/linux", root);
}

static void of_installation(struct hatch_places *places, const char *data)
{
	places->program = hatch_format("%s/09-linux.elf", data);
	places->agent = hatch_format("%s/agent", data);
	places->tools = hatch_format("%s/tools", data);
	places->guest = hatch_format("%s/guest/linux", data);
}

int hatch_places_find(struct hatch_places *places, struct hatch_problem *problem)
{
	*places = (struct hatch_places){ .cache = find_cache() };
	if (!places->cache)
		return hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
					 "no folder for the cache: set HOME, or HATCH_CACHE");
	if (variable("HATCH_ROOT") && variable("HATCH_BUILD"))
		of_checkout(places, variable("HATCH_ROOT"), variable("HATCH_BUILD"));
	else
		of_installation(places, variable("HATCH_DATA") ?: HATCH_DATA);
	if (!places->program || !places->agent || !places->tools || !places->guest)
		return hatch_problem_memory(problem);
	return 0;
}

void hatch_places_free(struct hatch_places *places)
{
	free(places->program);
	free(places->agent);
	free(places->tools);
	free(places->guest);
	free(places->cache);
	*places = (struct hatch_places){ 0 };
}

char *hatch_places_data(const char *name, struct hatch_problem *problem)
{
	const char *home = variable("HOME");
	char *path = NULL;

	if (variable("XDG_DATA_HOME"))
		path = hatch_format("%s/%s", variable("XDG_DATA_HOME"), name);
	else if (home)
		path = hatch_format("%s/.local/share/%s", home, name);
	if (!path)
		hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
				  "no folder to keep a file system in: set HOME, or XDG_DATA_HOME");
	return path;
}

static bool is_program(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISREG(status.st_mode) && !access(path, X_OK);
}

char *hatch_places_program(const char *name)
{
	const char *folders = variable("PATH") ?: "/usr/bin:/bin";

	if (strchr(name, '/'))
		return is_program(name) ? strdup(name) : NULL;
	for (size_t size; *folders; folders += size + (folders[size] == ':')) {
		char *path;

		size = strcspn(folders, ":");
		path = hatch_format("%.*s/%s", (int)size, folders, name);
		if (path && is_program(path))
			return path;
		free(path);
	}
	return NULL;
}

int hatch_places_check(const char *what, const char *file, struct hatch_problem *problem)
{
	struct stat status;

	if (stat(file, &status))
		return hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
					 "cannot find the %s %s: %s; check the path", what, file,
					 strerror(errno));
	if (!S_ISREG(status.st_mode))
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "the %s %s is not a file: check the path", what, file);
	if (access(file, R_OK))
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "cannot read the %s %s: %s; check its owner and mode",
					 what, file, strerror(errno));
	return 0;
}

void hatch_places_identify(struct hatch_bytes *text, const char *what, const char *file)
{
	struct stat status = { 0 };
	char *line;

	if (!file || stat(file, &status))
		status = (struct stat){ 0 };
	line = hatch_format("%s: %s, %lld bytes, %lld.%09ld, inode %llu\n", what,
			    file ? file : "QEMU's own", (long long)status.st_size,
			    (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
			    (unsigned long long)status.st_ino);
	if (line)
		hatch_bytes_add(text, line, strlen(line));
	else
		text->failed = true;
	free(line);
}
