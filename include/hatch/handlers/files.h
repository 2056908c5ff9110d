/* SPDX-License-Identifier: MIT */
/*
 * A read-only file tree in memory, out of a cpio archive in "newc" form: the format of a Linux
 * initial file system (Linux, Documentation/driver-api/early-userspace/buffer-format.rst). The
 * archive is untrusted: every number in it is checked before it is used.
 */
#ifndef HATCH_HANDLERS_FILES_H
#define HATCH_HANDLERS_FILES_H

#include <hatch/gstage.h>

#define HATCH_FILES_ROOT 0	    /* the root's index */
#define HATCH_FILES_NONE UINT32_MAX /* no file */

/* The kind of a file, in hatch_file.mode under this mask; the numbers are Linux's. */
enum hatch_file_kind {
	HATCH_FILE_KIND = 0170000,
	HATCH_FILE_FOLDER = 0040000,
	HATCH_FILE_REGULAR = 0100000,
	HATCH_FILE_LINK = 0120000,
};

/* One file. Name and content lie in the archive; the name has no terminator. */
struct hatch_file {
	const char *name;
	size_t name_length; /* bytes */
	const uint8_t *data;
	uint64_t size;		       /* of data, bytes: 0 of a folder; of a link the path's */
	uint32_t mode;		       /* kind and permissions */
	uint32_t time;		       /* of the last change, seconds since 1970 */
	uint32_t parent;	       /* index; the root is its own */
	uint32_t child, last, sibling; /* a folder's first and last file; its own next one */
};

/*
 * The user owns it. Invariants: file[0] is the root; each file but the root is in the chain of
 * exactly one folder, which stands before it in the table.
 */
struct hatch_files {
	const struct hatch_memory *memory;
	struct hatch_file *file;
	uint32_t count, room;
	const char *problem; /* why hatch_files_init failed, without the file's name; or NULL */
	uint64_t at;	     /* the byte of the archive where that was met */
};

/*
 * Reads an archive of `size` bytes, which stay the caller's and must outlive the tree. Takes
 * memory for one struct hatch_file for each entry, and 16 to 32 bytes for finding it by name.
 * Names may begin with "/" or "./"; folders come before what is in them; devices, sockets and the
 * like are passed over, and of a file with several names only the one that carries the bytes has
 * any.
 * Errors: HATCH_EINVAL (NULL), HATCH_EFORMAT (damaged, or another format: `problem` and `at`
 * tell), HATCH_ENOMEM. On failure nothing is kept.
 */
int hatch_files_init(struct hatch_files *files, const struct hatch_memory *memory,
		     const void *archive, size_t size);

/* Gives the table back. The archive stays the caller's. */
void hatch_files_fini(struct hatch_files *files);

/*
 * Finds a file by its path: from the root when it begins with "/", from the folder `from`
 * otherwise. ".." of the root is the root. With `follow` a link at the end is followed as those
 * before it are. An empty path is not found.
 * Returns its index; or, negative, one of Linux's error numbers: ENOENT (-2), ENOTDIR (-20),
 * ELOOP (-40: more than 8 links), ENAMETOOLONG (-36: a path of 4096 bytes or more).
 */
int64_t hatch_files_find(const struct hatch_files *files, uint32_t from, const char *path,
			 bool follow);

/* Whether the file is the folder or lies below it. */
bool hatch_files_is_below(const struct hatch_files *files, uint32_t file, uint32_t folder);

/*
 * Writes the file's path from the root into `path`, terminated. Returns its length with the
 * terminator; HATCH_E2BIG when `size` is too small.
 */
int64_t hatch_files_path(const struct hatch_files *files, uint32_t file, char *path, size_t size);

#endif
