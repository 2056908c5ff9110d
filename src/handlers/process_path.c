/* SPDX-License-Identifier: MIT */
/* A process's system calls about files by name, and what is told about a file. */
#include <string.h>

#include "process_internal.h"

enum {
	ACCESS_WRITE = 2,
	ACCESS_EXECUTE = 1,
	ANY_EXECUTES = 0111,
	CONSOLE_MODE = 0020620, /* a character device */
	BLOCK = 512,
	DT_SHIFT = 12, /* a mode's kind, as getdents64 tells it */
	STATX_BASIC = 0x7ff,
};

/* struct stat and struct statx of Linux, riscv64. */
struct stat_buffer {
	uint64_t device, inode;
	uint32_t mode, links, user, group;
	uint64_t node, unused1;
	int64_t size;
	int32_t block_size, unused2;
	int64_t blocks;
	int64_t access_time, access_ns, change_time, change_ns, status_time, status_ns;
	uint32_t unused3[2];
};
_Static_assert(sizeof(struct stat_buffer) == 128, "struct stat");

struct statx_time {
	int64_t seconds;
	uint32_t ns;
	int32_t unused;
};

struct statx_buffer {
	uint32_t mask, block_size;
	uint64_t attributes;
	uint32_t links, user, group;
	uint16_t mode, unused1;
	uint64_t inode, size, blocks, attributes_mask;
	struct statx_time access, birth, status, change;
	uint32_t node_major, node_minor, device_major, device_minor;
	uint64_t unused2[14];
};
_Static_assert(sizeof(struct statx_buffer) == 256, "struct statx");

struct dirent_head {
	uint64_t inode;
	int64_t next;
	uint16_t length;
	uint8_t kind;
} __attribute__((packed));

/* ---- Which file ---- */

bool process_may_open(const struct hatch_process *p, uint32_t file)
{
	const struct hatch_files *files = p->config.files;
	bool any = true;

	for (unsigned int i = 0; i < HATCH_PROCESS_ALLOW && p->config.allow[i]; i++) {
		int64_t folder =
			hatch_files_find(files, HATCH_FILES_ROOT, p->config.allow[i], true);

		any = false;
		if (folder >= 0 && hatch_files_is_below(files, file, (uint32_t)folder))
			return true;
	}
	return any;
}

static int64_t find_folder(struct hatch_process *p, uint64_t folder)
{
	const struct hatch_process_stream *stream;

	if ((int32_t)folder == AT_FOLDER)
		return p->state.folder;
	stream = process_stream(p, folder);
	if (!stream)
		return -LINUX_EBADF;
	return stream->file == HATCH_FILES_NONE ? -LINUX_ENOTDIR : (int64_t)stream->file;
}

int64_t process_find_path(struct hatch_process *p, uint64_t folder, uint64_t path, bool follow)
{
	char text[PROCESS_PATH];
	int error = process_copy_text(p, path, text, sizeof(text));
	int64_t from = p->state.folder;

	if (error < 0)
		return error;
	if (text[0] != '/')
		from = find_folder(p, folder);
	return from < 0 ? from : hatch_files_find(p->config.files, (uint32_t)from, text, follow);
}

/* The same for calls that also take the number of the file itself, with an empty path. */
static int64_t find_any(struct hatch_process *p, const uint64_t a[8], uint64_t flags)
{
	char first;
	int error = process_copy_in(p, a[1], &first, 1);

	if (error)
		return error;
	if (!first && (flags & AT_EMPTY)) {
		const struct hatch_process_stream *stream = process_stream(p, a[0]);

		return stream ? (int64_t)stream->file : -LINUX_EBADF;
	}
	return process_find_path(p, a[0], a[1], !(flags & AT_NOFOLLOW));
}

int64_t process_faccessat(struct hatch_process *p, const uint64_t a[8])
{
	int64_t file = process_find_path(p, a[0], a[1], true);

	if (file < 0)
		return file;
	if (a[2] & ACCESS_WRITE)
		return -LINUX_EROFS;
	if (!process_may_open(p, (uint32_t)file))
		return -LINUX_EACCES;
	if ((a[2] & ACCESS_EXECUTE) && !(process_file(p, (uint32_t)file)->mode & ANY_EXECUTES))
		return -LINUX_EACCES;
	return 0;
}

static int64_t go_to(struct hatch_process *p, int64_t file)
{
	if (file < 0)
		return file;
	if (file == HATCH_FILES_NONE || process_kind(p, (uint32_t)file) != HATCH_FILE_FOLDER)
		return -LINUX_ENOTDIR;
	p->state.folder = (uint32_t)file;
	return 0;
}

int64_t process_chdir(struct hatch_process *p, const uint64_t a[8])
{
	return go_to(p, process_find_path(p, (uint64_t)AT_FOLDER, a[0], true));
}

int64_t process_fchdir(struct hatch_process *p, const uint64_t a[8])
{
	const struct hatch_process_stream *stream = process_stream(p, a[0]);

	return go_to(p, stream ? (int64_t)stream->file : -LINUX_EBADF);
}

int64_t process_getcwd(struct hatch_process *p, const uint64_t a[8])
{
	char text[PROCESS_PATH];
	int64_t size = hatch_files_path(p->config.files, p->state.folder, text, sizeof(text));
	int error;

	if (size < 0)
		return -LINUX_ENAMETOOLONG;
	if ((uint64_t)size > a[1])
		return -LINUX_ERANGE;
	error = process_copy_out(p, a[0], text, (size_t)size);
	return error ? error : size;
}

int64_t process_readlinkat(struct hatch_process *p, const uint64_t a[8])
{
	int64_t number = process_find_path(p, a[0], a[1], false);
	const struct hatch_file *file;
	uint64_t size;
	int error;

	if (number < 0)
		return number;
	file = process_file(p, (uint32_t)number);
	if ((file->mode & HATCH_FILE_KIND) != HATCH_FILE_LINK || (int64_t)a[3] <= 0)
		return -LINUX_EINVAL;
	size = file->size < a[3] ? file->size : a[3];
	error = process_copy_out(p, a[2], file->data, size);
	return error ? error : (int64_t)size;
}

/* ---- What is told about it ---- */

static void describe(const struct hatch_process *p, uint32_t file, struct stat_buffer *stat)
{
	*stat = (struct stat_buffer){
		.device = 1,
		.mode = CONSOLE_MODE,
		.links = 1,
		.block_size = HATCH_PAGE_SIZE,
	};
	if (file == HATCH_FILES_NONE)
		return;
	stat->inode = file + 1;
	stat->mode = process_file(p, file)->mode;
	stat->size = (int64_t)process_file(p, file)->size;
	stat->blocks = (stat->size + BLOCK - 1) / BLOCK;
	stat->access_time = process_file(p, file)->time;
	stat->change_time = stat->access_time;
	stat->status_time = stat->access_time;
}

static int64_t tell(struct hatch_process *p, int64_t file, uint64_t to)
{
	struct stat_buffer stat;

	if (file < 0)
		return file;
	describe(p, (uint32_t)file, &stat);
	return process_copy_out(p, to, &stat, sizeof(stat));
}

int64_t process_newfstatat(struct hatch_process *p, const uint64_t a[8])
{
	return tell(p, find_any(p, a, a[3]), a[2]);
}

int64_t process_fstat(struct hatch_process *p, const uint64_t a[8])
{
	const struct hatch_process_stream *stream = process_stream(p, a[0]);

	return tell(p, stream ? (int64_t)stream->file : -LINUX_EBADF, a[1]);
}

int64_t process_statx(struct hatch_process *p, const uint64_t a[8])
{
	int64_t file = find_any(p, a, a[2]);
	struct stat_buffer stat;
	struct statx_buffer statx;

	if (file < 0)
		return file;
	describe(p, (uint32_t)file, &stat);
	statx = (struct statx_buffer){
		.mask = STATX_BASIC,
		.block_size = HATCH_PAGE_SIZE,
		.links = stat.links,
		.mode = (uint16_t)stat.mode,
		.inode = stat.inode,
		.size = (uint64_t)stat.size,
		.blocks = (uint64_t)stat.blocks,
		.access = { .seconds = stat.access_time },
		.status = { .seconds = stat.access_time },
		.change = { .seconds = stat.access_time },
	};
	return process_copy_out(p, a[4], &statx, sizeof(statx));
}

/* ---- What is in a folder ---- */

/*
 * A place in a folder: 0 is ".", 1 is "..", then the index of a file in it plus 2; behind the
 * last one it is FOLDER_END. The program may set any place: what is none holds nothing.
 */
#define FOLDER_END ((uint64_t)INT64_MAX)

static uint64_t place_of(uint32_t file)
{
	return file == HATCH_FILES_NONE ? FOLDER_END : (uint64_t)file + 2;
}

/* The file at the place, its name, and the place behind it; false when there is none. */
static bool look(const struct hatch_process *p, uint32_t folder, uint64_t at, uint32_t *file,
		 const char **name, size_t *length, uint64_t *next)
{
	const struct hatch_file *f = process_file(p, folder);

	if (at < 2) {
		*file = at ? f->parent : folder;
		*name = "..";
		*length = (size_t)at + 1;
		*next = at ? place_of(f->child) : 1;
		return true;
	}
	if (at - 2 >= p->config.files->count || at - 2 == HATCH_FILES_ROOT)
		return false;
	*file = (uint32_t)(at - 2);
	f = process_file(p, *file);
	*name = f->name;
	*length = f->name_length;
	*next = place_of(f->sibling);
	return f->parent == folder;
}

int64_t process_getdents64(struct hatch_process *p, const uint64_t a[8])
{
	struct hatch_process_stream *stream = process_stream(p, a[0]);
	uint64_t done = 0, size = a[2] < PROCESS_IO ? a[2] : PROCESS_IO, next;
	uint8_t entry[sizeof(struct dirent_head) + 256 + 8];
	const char *name;
	size_t length;
	uint32_t file;

	if (!stream || stream->path_only)
		return -LINUX_EBADF;
	if (stream->file == HATCH_FILES_NONE || process_kind(p, stream->file) != HATCH_FILE_FOLDER)
		return -LINUX_ENOTDIR;
	while (look(p, stream->file, stream->at, &file, &name, &length, &next)) {
		struct dirent_head head = {
			.inode = file + 1,
			.next = (int64_t)next,
			.length = (uint16_t)((sizeof(head) + length + 1 + 7) & ~(size_t)7),
			.kind = (uint8_t)(process_kind(p, file) >> DT_SHIFT),
		};
		int error;

		if (head.length > size - done)
			return done ? (int64_t)done : -LINUX_EINVAL;
		memset(entry, 0, sizeof(entry));
		memcpy(entry, &head, sizeof(head));
		memcpy(entry + sizeof(head), name, length);
		error = process_copy_out(p, a[1] + done, entry, head.length);
		if (error)
			return error;
		done += head.length;
		stream->at = next;
	}
	return (int64_t)done;
}
