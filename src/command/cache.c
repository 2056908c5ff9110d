/* SPDX-License-Identifier: MIT */
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "about.h"
#include "report.h"
#include "tool.h"

enum {
	DESCRIPTORS = 16, /* for nftw */
	BLOCK = 512,	  /* unit of st_blocks */
};

/* ---- Looking ---- */

/* nftw has no argument for its callback. */
static struct hatch_cached *measured;

static int measure_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	measured->size += (uint64_t)status->st_blocks * BLOCK;
	if (type != FTW_F || !strcmp(path + where->base, "about")) /* we have just read that one */
		return 0;
	if (status->st_atime > measured->used)
		measured->used = status->st_atime;
	if (status->st_mtime > measured->used)
		measured->used = status->st_mtime;
	return 0;
}

static void measure(struct hatch_cached *cached)
{
	measured = cached;
	nftw(cached->path, measure_one, DESCRIPTORS, FTW_PHYS);
}

static bool is_current(const char *kind_path, const char *key)
{
	char target[256];
	ssize_t size =
		readlink(hatch_text_format("%s/current", kind_path), target, sizeof(target) - 1);

	target[size > 0 ? size : 0] = '\0';
	return !strcmp(target, key);
}

static struct hatch_cached describe(const char *kind_path, const char *kind, const char *key)
{
	struct hatch_cached cached = {
		.kind = hatch_text_format("%s", kind),
		.key = hatch_text_format("%s", key),
		.path = hatch_text_format("%s/%s", kind_path, key),
	};

	cached.current = is_current(kind_path, key);
	cached.about = hatch_about_read(cached.path);
	measure(&cached);
	return cached;
}

static bool is_folder(const char *path)
{
	struct stat status;

	return !lstat(path, &status) && S_ISDIR(status.st_mode);
}

struct growing {
	struct hatch_cached *item;
	size_t count;
};

static void add(struct growing *list, struct hatch_cached cached)
{
	list->item = reallocarray(list->item, list->count + 2, sizeof(*list->item));
	if (!list->item)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "out of memory: close some programs and run again");
	list->item[list->count++] = cached;
	list->item[list->count] = (struct hatch_cached){ 0 };
}

static void add_kind(struct growing *list, const char *folder, const char *kind)
{
	char *path = hatch_text_format("%s/%s", folder, kind);
	DIR *keys = is_folder(path) ? opendir(path) : NULL;
	struct dirent *key;

	while (keys && (key = readdir(keys))) {
		if (*key->d_name != '.' && is_folder(hatch_text_format("%s/%s", path, key->d_name)))
			add(list, describe(path, kind, key->d_name));
	}
	if (keys)
		closedir(keys);
}

static int in_order(const void *a, const void *b)
{
	const struct hatch_cached *one = a, *other = b;
	int order = strcmp(one->kind, other->kind);

	return order ? order : strcmp(one->key, other->key);
}

struct hatch_cached *hatch_cache_list(void)
{
	char *folder = hatch_cache_folder();
	struct growing list = { calloc(1, sizeof(*list.item)), 0 };
	DIR *kinds = opendir(folder);
	struct dirent *kind;

	if (!kinds && errno != ENOENT)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot read the cache %s: %m; check its owner, or set "
				  "HATCH_CACHE",
				  folder);
	while (kinds && (kind = readdir(kinds))) {
		if (*kind->d_name != '.')
			add_kind(&list, folder, kind->d_name);
	}
	if (kinds)
		closedir(kinds);
	if (list.count)
		qsort(list.item, list.count, sizeof(*list.item), in_order);
	return list.item;
}

/* ---- Removing ---- */

static bool opened_one;

/* An image may have folders that forbid everything to their owner. */
static int open_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)where;
	if ((type == FTW_D || type == FTW_DNR) && (status->st_mode & S_IRWXU) != S_IRWXU &&
	    !chmod(path, S_IRWXU))
		opened_one = true;
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status, (void)type, (void)where;
	return remove(path);
}

static int remove_tree(const char *path)
{
	do { /* what is in a folder shows when it has been opened */
		opened_one = false;
		nftw(path, open_one, DESCRIPTORS, FTW_PHYS);
	} while (opened_one);
	return nftw(path, remove_one, DESCRIPTORS, FTW_PHYS | FTW_DEPTH);
}

/* Out of its place in one step, then piece by piece. */
static enum hatch_removed move_and_remove(const struct hatch_cached *cached, const char *folder)
{
	char *scratch = hatch_text_format("%s/.scratch/rm.XXXXXX", folder);

	mkdir(hatch_text_format("%s/.scratch", folder), 0777);
	if (!mkdtemp(scratch))
		return HATCH_REMOVED_FAILED;
	if (rename(cached->path, hatch_text_format("%s/out", scratch))) {
		rmdir(scratch);
		return HATCH_REMOVED_FAILED;
	}
	if (cached->current)
		unlink(hatch_text_format("%s/%s/current", folder, cached->kind));
	return remove_tree(scratch) ? HATCH_REMOVED_FAILED : HATCH_REMOVED;
}

enum { LOCKS = 4 };

/* Whether nobody holds the lock of PATH, which is ours then, as *fd; -1: there is no such file. */
static bool take_lock(const char *path, int *fd)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	return *fd < 0 || !flock(*fd, LOCK_EX | LOCK_NB);
}

/*
 * Who makes something holds the lock of its kind (tools/lib/cache.sh), or of its kind and key. Who
 * runs from it holds one of the folder, or of the snapshot in it, together with others who do.
 */
enum hatch_removed hatch_cache_remove(const struct hatch_cached *cached)
{
	char *folder = hatch_cache_folder();
	const char *const path[LOCKS] = {
		hatch_text_format("%s/.lock/%s", folder, cached->kind),
		hatch_text_format("%s/.lock/%s-%s", folder, cached->kind, cached->key),
		cached->path,
		hatch_text_format("%s/guest", cached->path),
	};
	enum hatch_removed removed;
	bool free_to_go = true;
	int lock[LOCKS];

	for (int i = 0; i < LOCKS; i++)
		free_to_go &= take_lock(path[i], &lock[i]);
	removed = free_to_go ? move_and_remove(cached, folder) : HATCH_REMOVED_IN_USE;
	for (int i = 0; i < LOCKS; i++) {
		if (lock[i] >= 0)
			close(lock[i]);
	}
	return removed;
}
