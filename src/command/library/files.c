/* SPDX-License-Identifier: MIT */
/*
 * tools/fetch-debian and tools/make-initramfs make them and know whether they are up to date. But
 * scripts take their time: what make-initramfs printed last is kept, under a hash of all that it
 * depends on, and is believed as long as that stays the same.
 */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hatch/agent.h>

#include "cache.h"
#include "kernel.h"
#include "tool.h"

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_plain(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Every file of a folder, by name. */
static void identify_folder(struct hatch_bytes *text, const char *folder)
{
	struct dirent **list;
	int count = scandir(folder, &list, is_plain, by_name);

	for (int i = 0; i < count; i++) {
		char *path = hatch_format("%s/%s", folder, list[i]->d_name);

		hatch_places_identify(text, "part", path);
		free(path);
		free(list[i]);
	}
	if (count >= 0)
		free(list);
}

/* A link of the cache to the version in use. */
static void identify_current(struct hatch_bytes *text, const char *cache, const char *kind,
			     const char *file)
{
	char *path = hatch_format("%s/%s/current/%s", cache, kind, file);
	char *real = path ? realpath(path, NULL) : NULL;

	hatch_places_identify(text, kind, real ? real : path);
	free(real);
	free(path);
}

/* The file that has the initrd's path; NULL: no memory. */
static char *stamp_path(const struct hatch_places *places)
{
	struct hatch_bytes text = { 0 };
	char *lib = hatch_format("%s/lib", places->tools);
	char *script = hatch_format("%s/make-initramfs", places->tools);
	char *path = NULL;

	hatch_places_identify(&text, "agent", places->agent);
	hatch_places_identify(&text, "script", script);
	identify_folder(&text, lib);
	identify_folder(&text, places->guest);
	identify_current(&text, places->cache, "kernel", "version");
	identify_current(&text, places->cache, "busybox", "busybox");
	if (lib && script && !text.failed)
		path = hatch_format("%s/agent/%016llx", places->cache,
				    (unsigned long long)hatch_hash(text.data, text.size));
	free(lib);
	free(script);
	hatch_bytes_free(&text);
	return path;
}

static char *read_stamp(const struct hatch_places *places)
{
	char *path = stamp_path(places);
	FILE *file = path ? fopen(path, "re") : NULL;
	char *line = NULL;
	size_t room = 0;

	if (file && getline(&line, &room, file) > 0)
		line[strcspn(line, "\n")] = '\0';
	if (file)
		fclose(file);
	free(path);
	if (line && !access(line, R_OK))
		return line;
	free(line);
	return NULL;
}

/* Not to be written to: then the script is asked each time. */
static void write_stamp(const struct hatch_places *places, const char *initrd)
{
	char *folder = hatch_format("%s/agent", places->cache);
	char *part = hatch_format("%s/agent/.part-%d-%lld", places->cache, (int)getpid(),
				  (long long)hatch_now());
	char *path = stamp_path(places);
	FILE *file = NULL;

	if (folder && part && path && !hatch_folders_make(folder))
		file = fopen(part, "wxe");
	if (file) {
		fprintf(file, "%s\n", initrd);
		if (ferror(file) | fclose(file) || rename(part, path))
			unlink(part);
	}
	free(folder);
	free(part);
	free(path);
}

static char *find_kernel(const struct hatch_places *places)
{
	char *path = hatch_format("%s/kernel/current/Image", places->cache);
	char *real = path ? realpath(path, NULL) : NULL;

	free(path);
	return real;
}

int hatch_files_plan(struct hatch_plan *plan, const char *own_kernel, struct hatch_problem *problem)
{
	if (hatch_places_check("guest's agent", plan->places.agent, problem))
		return problem->error;
	if (own_kernel && (hatch_places_check("kernel", own_kernel, problem) ||
			   hatch_kernel_check(own_kernel, NULL, problem)))
		return problem->error;
	plan->kernel = own_kernel ? realpath(own_kernel, NULL) : find_kernel(&plan->places);
	if (own_kernel && !plan->kernel)
		return hatch_problem_memory(problem);
	plan->initrd = read_stamp(&plan->places);
	return 0;
}

static int fetch_kernel(struct hatch_child *child, struct hatch_problem *problem)
{
	struct hatch_plan *plan = &child->plan;
	struct hatch_words words = { 0 };
	char *folder = NULL;

	hatch_child_tell(child, "fetching the guest's kernel");
	hatch_words_add(&words, "%s/fetch-debian", plan->places.tools);
	hatch_words_add(&words, "kernel");
	hatch_words_add(&words, "busybox"); /* the package lists are then read but once */
	hatch_tool_run(child, "fetching the guest's kernel", &words, NULL, &folder, problem);
	hatch_words_free(&words);
	free(folder);
	if (!problem->error && !(plan->kernel = find_kernel(&plan->places)))
		hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
				  "tools/fetch-debian left no kernel in %s: remove the folder "
				  "kernel there and try again",
				  plan->places.cache);
	return problem->error;
}

static int make_initrd(struct hatch_child *child, struct hatch_problem *problem)
{
	struct hatch_plan *plan = &child->plan;
	struct hatch_words words = { 0 };

	hatch_child_tell(child, "making the guest's first file system");
	hatch_words_add(&words, "%s/make-initramfs", plan->places.tools);
	hatch_words_add(&words, "--agent");
	hatch_words_add(&words, "%s", plan->places.agent);
	hatch_tool_run(child, "making the guest's first file system", &words, NULL, &plan->initrd,
		       problem);
	hatch_words_free(&words);
	if (!problem->error)
		write_stamp(&plan->places, plan->initrd);
	return problem->error;
}

int hatch_files_make(struct hatch_child *child, struct hatch_problem *problem)
{
	if (!child->plan.kernel && fetch_kernel(child, problem))
		return problem->error;
	if (!child->plan.initrd && make_initrd(child, problem))
		return problem->error;
	return 0;
}
