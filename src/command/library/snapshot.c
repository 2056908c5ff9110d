/* SPDX-License-Identifier: MIT */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <hatch/agent.h>

#include "cache.h"
#include "template.h"
#include "trim.h"

/* Of what is kept, and of how it is started: another number makes all snapshots others. */
enum { LAYOUT = 2 };

/* ---- What a snapshot is of ---- */

/* All that it depends on, as text, which hatch cache reads; the name of its folder is a hash of that. */
static void identify(const struct hatch_plan *plan, struct hatch_bytes *text)
{
	char *line = hatch_format("hatch's guest, layout %d, agent %d\nmemory: %llu\n"
				  "processors: %u of rv64\n",
				  LAYOUT, HATCH_AGENT_VERSION, (unsigned long long)plan->memory,
				  plan->cpus);

	text->failed |= !line;
	hatch_bytes_add(text, line, line ? strlen(line) : 0);
	free(line);
	hatch_places_identify(text, "kernel", plan->kernel);
	hatch_places_identify(text, "initrd", plan->initrd);
	hatch_places_identify(text, "program", plan->places.program);
	hatch_places_identify(text, "QEMU", plan->qemu);
	hatch_places_identify(text, "firmware", plan->firmware);
}

/* The folder, without $cache/; NULL: no memory. */
static char *name_of(const struct hatch_bytes *text)
{
	return text->failed ? NULL
			    : hatch_format("snapshot/%016llx",
					   (unsigned long long)hatch_hash(text->data, text->size));
}

/* ---- Finding ---- */

/* Whether `about` says the same: two kinds could have one hash. */
static bool is_about(const char *folder, const struct hatch_bytes *text)
{
	char *path = hatch_format("%s/about", folder);
	FILE *file = path ? fopen(path, "re") : NULL;
	char *content = malloc(text->size);
	bool same = file && content && fread(content, 1, text->size, file) == text->size &&
		    !memcmp(content, text->data, text->size);

	if (file)
		fclose(file);
	free(content);
	free(path);
	return same;
}

/* Used just now, for who looks for the one that has not been used for longest; and not to be removed. */
static bool open_guest(const char *folder, struct hatch_snapshot *snapshot)
{
	char *path = hatch_format("%s/guest", folder);
	struct stat status;

	snapshot->fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	free(path);
	if (snapshot->fd < 0 || fstat(snapshot->fd, &status)) {
		hatch_snapshot_close(snapshot);
		return false;
	}
	snapshot->size = (uint64_t)status.st_size;
	flock(snapshot->fd, LOCK_SH | LOCK_NB);
	futimens(snapshot->fd, NULL);
	return true;
}

static bool find(const struct hatch_plan *plan, struct hatch_snapshot *snapshot)
{
	struct hatch_bytes text = { 0 };
	char *name, *folder = NULL;
	bool found = false;

	identify(plan, &text);
	name = name_of(&text);
	if (name)
		folder = hatch_format("%s/%s", plan->places.cache, name);
	if (folder && is_about(folder, &text))
		found = open_guest(folder, snapshot);
	hatch_bytes_free(&text);
	free(name);
	free(folder);
	return found;
}

void hatch_snapshot_close(struct hatch_snapshot *snapshot)
{
	if (snapshot->fd > 0)
		close(snapshot->fd);
	*snapshot = (struct hatch_snapshot){ 0 };
}

uint64_t hatch_snapshot_size(const struct hatch_plan *plan)
{
	struct hatch_snapshot snapshot = { 0 };
	uint64_t size = 0;

	if (plan->kernel && plan->initrd && find(plan, &snapshot))
		size = snapshot.size;
	hatch_snapshot_close(&snapshot);
	return size;
}

/* ---- Making ---- */

static int write_about(const char *scratch, const struct hatch_bytes *text, uint64_t size,
		       struct hatch_problem *problem)
{
	char *path = hatch_format("%s/about", scratch);
	FILE *file = path ? fopen(path, "we") : NULL;
	time_t now = time(NULL);
	char when[32] = "";
	int failed = !file;

	if (file) {
		fwrite(text->data, 1, text->size, file);
		fprintf(file, "size: %llu bytes\ncreated: %s", (unsigned long long)size,
			ctime_r(&now, when) ? when : "\n");
		failed = ferror(file) | fclose(file);
	}
	free(path);
	return failed ? hatch_problem_set(problem, HATCH_COMMAND_EIO, "cannot write %s: %s",
					  scratch, strerror(errno))
		      : 0;
}

/* In the scratch folder, then in its place. */
static int make(struct hatch_child *child, struct hatch_making *making, const char *target,
		const struct hatch_bytes *text, struct hatch_problem *problem)
{
	char *guest = hatch_format("%s/guest", making->scratch);
	uint64_t size = 0;

	if (!guest)
		return hatch_problem_memory(problem);
	hatch_child_tell(child, "the guest boots for the first time");
	if (!hatch_template_boot(child, guest, &size, problem) &&
	    !write_about(making->scratch, text, size, problem)) {
		hatch_cache_drop(making, target); /* one that is_about() did not like */
		hatch_cache_publish(making, target, problem);
	}
	free(guest);
	return problem->error;
}

static int find_or_make(struct hatch_child *child, const char *name, const struct hatch_bytes *text,
			struct hatch_snapshot *snapshot, struct hatch_problem *problem)
{
	char *target = hatch_format("%s/%s", child->plan.places.cache, name);
	char *kind = hatch_format("snapshot-%s", strrchr(name, '/') + 1);
	struct hatch_making making = { 0 };

	if (!target || !kind)
		hatch_problem_memory(problem);
	else if (!hatch_cache_enter(child, kind, &making, problem) &&
		 !find(&child->plan, snapshot) && !make(child, &making, target, text, problem)) {
		find(&child->plan, snapshot);
		hatch_trim(child->plan.places.cache);
	}
	hatch_cache_leave(&making);
	free(target);
	free(kind);
	return problem->error;
}

int hatch_snapshot_get(struct hatch_child *child, struct hatch_snapshot *snapshot,
		       struct hatch_problem *problem)
{
	struct hatch_bytes text = { 0 };
	char *name;

	if (find(&child->plan, snapshot))
		return 0;
	identify(&child->plan, &text);
	name = name_of(&text);
	if (!name)
		hatch_problem_memory(problem);
	else
		find_or_make(child, name, &text, snapshot, problem);
	free(name);
	hatch_bytes_free(&text);
	if (problem->error != HATCH_COMMAND_EIO)
		return problem->error;
	/* Nowhere to keep it: everything works, but takes longer. */
	hatch_child_tell(child, "the guest boots each time: %s", problem->text);
	*problem = (struct hatch_problem){ 0 };
	return 0;
}

void hatch_snapshot_drop(struct hatch_child *child, const struct hatch_snapshot *snapshot)
{
	struct hatch_problem problem = { 0 };
	struct hatch_making making = { 0 };
	struct hatch_bytes text = { 0 };
	struct stat ours, there;
	char *name, *target = NULL, *guest = NULL, *kind = NULL;

	identify(&child->plan, &text);
	name = name_of(&text);
	if (name) {
		target = hatch_format("%s/%s", child->plan.places.cache, name);
		guest = hatch_format("%s/%s/guest", child->plan.places.cache, name);
		kind = hatch_format("snapshot-%s", strrchr(name, '/') + 1);
	}
	if (target && guest && kind && !hatch_cache_enter(child, kind, &making, &problem) &&
	    !stat(guest, &there) && !fstat(snapshot->fd, &ours) && there.st_ino == ours.st_ino)
		hatch_cache_drop(&making, target);
	hatch_cache_leave(&making);
	hatch_bytes_free(&text);
	free(name);
	free(target);
	free(guest);
	free(kind);
}
