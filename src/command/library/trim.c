/* SPDX-License-Identifier: MIT */
#include "trim.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"

#define LIMIT_DEFAULT (UINT64_C(2) << 30)

struct kept {
	char *folder;
	struct timespec used;
	uint64_t size; /* bytes that it takes on the disk */
};

struct list {
	struct kept *one;
	size_t count;
	uint64_t size;
};

static uint64_t limit(void)
{
	const char *text = getenv("HATCH_CACHE_LIMIT");
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	uint64_t number;

	if (!text || *text < '0' || *text > '9')
		return LIMIT_DEFAULT;
	number = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end & ~0x20) : NULL;
	return unit ? number << 10 * (unit - units + 1) : number;
}

static void add(struct list *list, char *folder)
{
	struct kept *more = realloc(list->one, (list->count + 1) * sizeof(*more));
	char *guest = folder ? hatch_format("%s/guest", folder) : NULL;
	struct stat status;

	if (more)
		list->one = more;
	if (!more || !guest || stat(guest, &status)) {
		free(folder);
		free(guest);
		return;
	}
	free(guest);
	more[list->count++] =
		(struct kept){ folder, status.st_mtim, (uint64_t)status.st_blocks * 512 };
	list->size += (uint64_t)status.st_blocks * 512;
}

static void find_all(struct list *list, const char *cache)
{
	char *path = hatch_format("%s/snapshot", cache);
	DIR *folder = path ? opendir(path) : NULL;
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] != '.')
			add(list, hatch_format("%s/%s", path, entry->d_name));
	}
	if (folder)
		closedir(folder);
	free(path);
}

static int by_use(const void *a, const void *b)
{
	const struct timespec *one = &((const struct kept *)a)->used;
	const struct timespec *other = &((const struct kept *)b)->used;

	if (one->tv_sec != other->tv_sec)
		return one->tv_sec < other->tv_sec ? -1 : 1;
	return (one->tv_nsec > other->tv_nsec) - (one->tv_nsec < other->tv_nsec);
}

/* Whether it has gone: who runs from it holds a lock on it. */
static bool remove_one(const char *cache, const char *folder)
{
	char *guest = hatch_format("%s/guest", folder);
	char *away = hatch_format("%s/.scratch/trim-%s", cache, strrchr(folder, '/') + 1);
	int fd = guest ? open(guest, O_RDONLY | O_CLOEXEC) : -1;
	bool gone = false;

	if (fd >= 0 && away && !flock(fd, LOCK_EX | LOCK_NB) && !rename(folder, away)) {
		hatch_tree_remove(away);
		gone = true;
	}
	if (fd >= 0)
		close(fd);
	free(guest);
	free(away);
	return gone;
}

void hatch_trim(const char *cache)
{
	struct list list = { 0 };
	uint64_t most = limit();

	find_all(&list, cache);
	if (list.count)
		qsort(list.one, list.count, sizeof(*list.one), by_use);
	for (size_t i = 0; i < list.count; i++) {
		if (list.size > most && remove_one(cache, list.one[i].folder))
			list.size -= list.one[i].size;
		free(list.one[i].folder);
	}
	free(list.one);
}
