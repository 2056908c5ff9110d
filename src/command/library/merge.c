/* SPDX-License-Identifier: MIT */
#include "merge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"

static const char whiteout[] = ".wh.";
static const char opaque[] = ".wh..wh..opq";

enum { DEPTH_MOST = 200 }; /* of folders: each holds two descriptors open */

static int merge(int layer, int root, bool whiteouts, int depth);

static int open_folder(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static void remove_all(int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	while (list && (entry = readdir(list))) {
		if (!is_dot(entry->d_name))
			hatch_tree_remove_at(folder, entry->d_name);
	}
	if (list)
		closedir(list);
}

/* A folder that is in both: what is in the layer's goes into the root's, which gets its mode. */
static int merge_folder(int layer, int root, const char *name, mode_t mode, bool whiteouts,
			int depth)
{
	int from = -1, to = -1, failed = -1, error;

	fchmodat(layer, name, mode | 0700, 0);
	if (mkdirat(root, name, 0700) && errno != EEXIST)
		return -1;
	to = open_folder(root, name);
	if (to < 0 && (errno == ENOTDIR || errno == ELOOP)) { /* a file, a link: the folder wins */
		unlinkat(root, name, 0);
		to = mkdirat(root, name, 0700) ? -1 : open_folder(root, name);
	}
	if (to >= 0 && !fchmod(to, mode | 0700))
		from = open_folder(layer, name);
	if (from >= 0)
		failed = merge(from, to, whiteouts, depth + 1);
	error = errno;
	if (to >= 0)
		close(to);
	if (from >= 0)
		close(from);
	errno = error;
	return failed;
}

/* In place of whatever was there. */
static int move_file(int layer, int root, const char *name, const struct stat *status)
{
	struct stat there;

	if (S_ISREG(status->st_mode) && (status->st_mode & 0400) == 0)
		fchmodat(layer, name, (status->st_mode & 07777) | 0400, 0);
	if (!fstatat(root, name, &there, AT_SYMLINK_NOFOLLOW) && S_ISDIR(there.st_mode))
		hatch_tree_remove_at(root, name);
	return renameat(layer, name, root, name);
}

static int take(int layer, int root, const char *name, bool whiteouts, int depth)
{
	struct stat status;

	if (whiteouts && !strncmp(name, whiteout, sizeof(whiteout) - 1)) {
		if (strcmp(name, opaque) != 0 && name[4] && !is_dot(name + 4))
			hatch_tree_remove_at(root, name + 4);
		return 0;
	}
	if (fstatat(layer, name, &status, AT_SYMLINK_NOFOLLOW))
		return -1;
	if (S_ISDIR(status.st_mode))
		return merge_folder(layer, root, name, status.st_mode & 07777, whiteouts, depth);
	if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
		return 0;
	return move_file(layer, root, name, &status);
}

/* Whiteouts are of the layers below: all of them come first, then what this layer brings. */
static int take_all(int layer, int root, bool whiteouts, bool now, int depth)
{
	int copy = openat(layer, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int failed = list ? 0 : -1, error;

	while (!failed && (entry = readdir(list))) {
		bool is_whiteout = whiteouts && !strncmp(entry->d_name, whiteout, 4);

		if (!is_dot(entry->d_name) && is_whiteout == now)
			failed = take(layer, root, entry->d_name, whiteouts, depth);
	}
	error = errno;
	if (list)
		closedir(list);
	errno = error;
	return failed;
}

static int merge(int layer, int root, bool whiteouts, int depth)
{
	struct stat status;

	if (depth > DEPTH_MOST) {
		errno = ELOOP;
		return -1;
	}
	if (whiteouts && !fstatat(layer, opaque, &status, AT_SYMLINK_NOFOLLOW))
		remove_all(root);
	if (whiteouts && take_all(layer, root, whiteouts, true, depth))
		return -1;
	return take_all(layer, root, whiteouts, false, depth);
}

int hatch_merge(const char *layer, const char *root, bool whiteouts)
{
	int from = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int to = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = from < 0 || to < 0 ? -1 : merge(from, to, whiteouts, 0);
	int error = errno;

	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	errno = error;
	return failed;
}
