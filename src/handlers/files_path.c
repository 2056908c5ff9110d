/* SPDX-License-Identifier: MIT */
/* A file tree: paths. */
#include <string.h>

#include "files_internal.h"
#include "process_internal.h"

enum {
	PATH_MOST = 4096, /* bytes, its end included */
	LINKS_MOST = 8,
};

/* A walk along a path, of which links may put in new parts. */
struct walk {
	const struct hatch_files *files;
	uint32_t at;
	unsigned int links;
	char path[PATH_MOST]; /* what is still to go */
};

static bool is_kind(const struct walk *walk, uint32_t file, uint32_t kind)
{
	return (walk->files->file[file].mode & HATCH_FILE_KIND) == kind;
}

static int64_t child(const struct walk *walk, const char *name, size_t length)
{
	const struct hatch_file *file = walk->files->file;
	uint32_t found;

	if (length == 1 && name[0] == '.')
		return walk->at;
	if (length == 2 && !memcmp(name, "..", 2))
		return file[walk->at].parent;
	found = hatch_files_child(walk->files, walk->at, name, length);
	return found == HATCH_FILES_NONE ? -LINUX_ENOENT : (int64_t)found;
}

/* The link's path takes the place of its name: what comes behind it is kept. */
static int64_t follow_link(struct walk *walk, uint32_t link, const char *rest)
{
	const struct hatch_file *file = &walk->files->file[link];
	size_t length = strlen(rest);

	if (++walk->links > LINKS_MOST)
		return -LINUX_ELOOP;
	if (!file->size)
		return -LINUX_ENOENT;
	if (file->size + length >= PATH_MOST)
		return -LINUX_ENAMETOOLONG;
	if (memchr(file->data, 0, file->size))
		return -LINUX_ENOENT;
	memmove(walk->path + file->size, rest, length + 1);
	memcpy(walk->path, file->data, file->size);
	if (walk->path[0] == '/')
		walk->at = HATCH_FILES_ROOT;
	return 0;
}

/* One part of the path; *next is what remains. */
static int64_t step(struct walk *walk, const char **next, bool follow)
{
	const char *name = *next + strspn(*next, "/");
	size_t length = strcspn(name, "/");
	const char *rest = name + length;
	int64_t found;

	*next = rest;
	if (!is_kind(walk, walk->at, HATCH_FILE_FOLDER))
		return -LINUX_ENOTDIR;
	if (!length)
		return 0;
	found = child(walk, name, length);
	if (found < 0)
		return found;
	if (is_kind(walk, (uint32_t)found, HATCH_FILE_LINK) && (follow || *rest)) {
		*next = walk->path;
		return follow_link(walk, (uint32_t)found, rest);
	}
	walk->at = (uint32_t)found;
	return 0;
}

int64_t hatch_files_find(const struct hatch_files *files, uint32_t from, const char *path,
			 bool follow)
{
	struct walk walk = { .files = files, .at = path[0] == '/' ? HATCH_FILES_ROOT : from };
	size_t length = strlen(path);
	const char *next = walk.path;
	int64_t error = 0;

	if (!length)
		return -LINUX_ENOENT;
	if (length >= PATH_MOST)
		return -LINUX_ENAMETOOLONG;
	memcpy(walk.path, path, length + 1);
	while (!error && *next)
		error = step(&walk, &next, follow);
	return error ? error : (int64_t)walk.at;
}

bool hatch_files_is_below(const struct hatch_files *files, uint32_t file, uint32_t folder)
{
	while (file != folder && file != HATCH_FILES_ROOT)
		file = files->file[file].parent;
	return file == folder;
}

int64_t hatch_files_path(const struct hatch_files *files, uint32_t file, char *path, size_t size)
{
	size_t at = size;

	if (!size)
		return HATCH_E2BIG;
	path[--at] = '\0';
	if (file == HATCH_FILES_ROOT && at)
		path[--at] = '/';
	for (; file != HATCH_FILES_ROOT; file = files->file[file].parent) {
		const struct hatch_file *f = &files->file[file];

		if (f->name_length + 1 > at)
			return HATCH_E2BIG;
		at -= f->name_length;
		memcpy(path + at, f->name, f->name_length);
		path[--at] = '/';
	}
	if (path[at] != '/')
		return HATCH_E2BIG;
	memmove(path, path + at, size - at);
	return (int64_t)(size - at);
}
