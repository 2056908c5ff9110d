/* SPDX-License-Identifier: MIT */
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_MS = 20 }; /* between two looks at a lock that someone holds */

int hatch_folders_make(const char *path)
{
	char *part = strdup(path);
	char *slash = part;
	int failed = !part;

	while (!failed && (slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		failed = mkdir(part, 0777) && errno != EEXIST;
		*slash = '/';
	}
	if (!failed)
		failed = mkdir(path, 0777) && errno != EEXIST;
	free(part);
	return failed ? -1 : 0;
}

/* ---- Removing ---- */

static void empty_folder(int folder);

/* A folder that forbids it to its owner is allowed again: what is unpacked may have such. */
void hatch_tree_remove_at(int folder, const char *name)
{
	int inner;

	if (!unlinkat(folder, name, 0) || (errno != EISDIR && errno != EPERM && errno != EACCES))
		return;
	inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (inner < 0 && errno == EACCES && !fchmodat(folder, name, 0700, 0))
		inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (inner < 0)
		return;
	fchmod(inner, 0700);
	empty_folder(inner);
	unlinkat(folder, name, AT_REMOVEDIR);
}

/* Closes it, too. */
static void empty_folder(int folder)
{
	DIR *list = fdopendir(folder);
	struct dirent *entry;

	if (!list) {
		close(folder);
		return;
	}
	while ((entry = readdir(list))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			hatch_tree_remove_at(folder, entry->d_name);
	}
	closedir(list);
}

void hatch_tree_remove(const char *path)
{
	hatch_tree_remove_at(AT_FDCWD, path);
}

/* What somebody left who was killed; the lock says that nobody is at it. */
static void sweep(const char *folder, const char *kind)
{
	DIR *list = opendir(folder);
	size_t size = strlen(kind);
	struct dirent *entry;

	while (list && (entry = readdir(list))) {
		if (!strncmp(entry->d_name, kind, size) && entry->d_name[size] == '.')
			hatch_tree_remove_at(dirfd(list), entry->d_name);
	}
	if (list)
		closedir(list);
}

/* ---- Making ---- */

static int fail(const char *cache, struct hatch_problem *problem)
{
	return hatch_problem_set(problem, HATCH_COMMAND_EIO,
				 "cannot write to the cache %s: %s; free it, or set "
				 "XDG_CACHE_HOME",
				 cache, strerror(errno));
}

static int open_lock(const char *cache, const char *kind)
{
	char *folder = hatch_format("%s/.lock", cache);
	char *path = hatch_format("%s/.lock/%s", cache, kind);
	int fd = -1;

	if (folder && path && !hatch_folders_make(folder))
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	free(folder);
	free(path);
	return fd;
}

/* flock() would wait for ever; but this child may be told to end meanwhile. */
static int take_lock(struct hatch_child *child, int fd, struct hatch_problem *problem)
{
	bool told = false;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(child->plan.places.cache, problem);
		if (!told)
			hatch_child_tell(child, "waiting for another one that makes the same");
		told = true;
		if (hatch_child_wait_for(child, NULL, 0, LOCK_MS, problem) < 0)
			return problem->error;
	}
	return 0;
}

int hatch_cache_enter(struct hatch_child *child, const char *kind, struct hatch_making *making,
		      struct hatch_problem *problem)
{
	const char *cache = child->plan.places.cache;
	char *folder = hatch_format("%s/.scratch", cache);

	making->scratch = hatch_format("%s/.scratch/%s.XXXXXX", cache, kind);
	making->lock = open_lock(cache, kind);
	if (making->lock < 0 || !folder || !making->scratch || hatch_folders_make(folder))
		fail(cache, problem);
	else if (!take_lock(child, making->lock, problem)) {
		sweep(folder, kind);
		if (!mkdtemp(making->scratch))
			fail(cache, problem);
	}
	if (problem->error) {
		free(making->scratch);
		making->scratch = NULL;
	}
	free(folder);
	return problem->error;
}

int hatch_cache_publish(struct hatch_making *making, const char *target,
			struct hatch_problem *problem)
{
	char *above = strdup(target);
	int failed = !above;

	if (above) {
		*strrchr(above, '/') = '\0';
		failed = hatch_folders_make(above) || rename(making->scratch, target);
	}
	free(above);
	if (failed)
		return fail(target, problem);
	free(making->scratch);
	making->scratch = NULL;
	return 0;
}

void hatch_cache_leave(struct hatch_making *making)
{
	if (making->scratch)
		hatch_tree_remove(making->scratch);
	free(making->scratch);
	if (making->lock > 0)
		close(making->lock);
	*making = (struct hatch_making){ 0 };
}

void hatch_cache_drop(struct hatch_making *making, const char *target)
{
	char *away = hatch_format("%s/dropped", making->scratch);

	if (away && !rename(target, away))
		hatch_tree_remove(away);
	free(away);
}
