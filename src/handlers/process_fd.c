/* SPDX-License-Identifier: MIT */
/* A process's open files: numbers, and the streams behind them that several numbers may share. */
#include "process_internal.h"

enum open_flag {
	OPEN_ACCESS = 03,
	OPEN_CREATE = 0100,
	OPEN_EXCLUSIVE = 0200,
	OPEN_TRUNCATE = 01000,
	OPEN_FOLDER = 0200000,
	OPEN_NOFOLLOW = 0400000,
	OPEN_CLOSE_ON_EXEC = 02000000,
	OPEN_PATH = 010000000,
	OPEN_TEMPORARY = 020000000,
};

enum fcntl_command {
	F_DUPFD = 0,
	F_GETFD = 1,
	F_SETFD = 2,
	F_GETFL = 3,
	F_SETFL = 4,
	F_DUPFD_CLOEXEC = 1030,
};

struct hatch_process_stream *process_stream(struct hatch_process *p, uint64_t number)
{
	/* Numbers are of 32 bits: what stands above them is not looked at, as in Linux. */
	uint32_t n = (uint32_t)number;

	if (n >= HATCH_PROCESS_OPEN || !p->state.number[n].stream)
		return NULL;
	return &p->state.stream[p->state.number[n].stream - 1];
}

void process_open_console(struct hatch_process *p)
{
	for (unsigned int i = 0; i < HATCH_PROCESS_OPEN; i++) {
		p->state.number[i] = (struct hatch_process_number){ .stream = 0 };
		p->state.stream[i] = (struct hatch_process_stream){ .users = 0 };
	}
	for (uint8_t i = 0; i < 3; i++) {
		p->state.number[i].stream = i + 1;
		p->state.stream[i] = (struct hatch_process_stream){
			.file = HATCH_FILES_NONE,
			.at = i, /* of the console: which of the three it is */
			.users = 1,
		};
	}
}

static int64_t close_number(struct hatch_process *p, uint64_t number)
{
	struct hatch_process_stream *stream = process_stream(p, number);

	if (!stream)
		return -LINUX_EBADF;
	stream->users--;
	p->state.number[(uint32_t)number] = (struct hatch_process_number){ .stream = 0 };
	return 0;
}

int64_t process_close(struct hatch_process *p, const uint64_t a[8])
{
	return close_number(p, a[0]);
}

void process_close_on_exec(struct hatch_process *p)
{
	for (uint32_t i = 0; i < HATCH_PROCESS_OPEN; i++)
		if (p->state.number[i].close_on_exec)
			close_number(p, i);
}

/* The lowest number that is closed, from `least` on. */
static int64_t free_number(const struct hatch_process *p, uint64_t least)
{
	for (uint64_t i = least; i < HATCH_PROCESS_OPEN; i++)
		if (!p->state.number[i].stream)
			return (int64_t)i;
	return -LINUX_EMFILE;
}

/* There is a stream for each number, so one is free when a number is. */
int64_t process_open_file(struct hatch_process *p, uint32_t file, bool close_on_exec,
			  bool path_only)
{
	int64_t number = free_number(p, 0);
	uint8_t i = 0;

	if (number < 0)
		return number;
	while (p->state.stream[i].users)
		i++;
	p->state.stream[i] = (struct hatch_process_stream){
		.file = file,
		.users = 1,
		.path_only = path_only,
	};
	p->state.number[number] = (struct hatch_process_number){
		.stream = i + 1,
		.close_on_exec = close_on_exec,
	};
	return number;
}

static bool wants_change(uint64_t flags)
{
	return (flags & OPEN_ACCESS) || (flags & OPEN_TRUNCATE) ||
	       (flags & OPEN_TEMPORARY) == OPEN_TEMPORARY;
}

int64_t process_openat(struct hatch_process *p, const uint64_t a[8])
{
	uint64_t flags = a[2];
	int64_t file = process_find_path(p, a[0], a[1], !(flags & OPEN_NOFOLLOW));
	uint32_t kind;

	if (file == -LINUX_ENOENT && (flags & OPEN_CREATE))
		return -LINUX_EROFS;
	if (file < 0)
		return file;
	kind = process_kind(p, (uint32_t)file);
	if (!process_may_open(p, (uint32_t)file))
		return -LINUX_EACCES;
	if ((flags & OPEN_CREATE) && (flags & OPEN_EXCLUSIVE))
		return -LINUX_EEXIST;
	if (wants_change(flags) && !(flags & OPEN_PATH))
		return kind == HATCH_FILE_FOLDER ? -LINUX_EISDIR : -LINUX_EROFS;
	if (kind == HATCH_FILE_LINK && !(flags & OPEN_PATH))
		return -LINUX_ELOOP;
	if (kind != HATCH_FILE_FOLDER && (flags & OPEN_FOLDER))
		return -LINUX_ENOTDIR;
	return process_open_file(p, (uint32_t)file, flags & OPEN_CLOSE_ON_EXEC, flags & OPEN_PATH);
}

/* Makes `to`, which is closed, another number of the stream behind `from`. */
static int64_t share(struct hatch_process *p, uint64_t from, int64_t to, bool close_on_exec)
{
	if (to < 0)
		return to;
	p->state.number[to] = (struct hatch_process_number){
		.stream = p->state.number[(uint32_t)from].stream,
		.close_on_exec = close_on_exec,
	};
	process_stream(p, from)->users++;
	return to;
}

int64_t process_dup(struct hatch_process *p, const uint64_t a[8])
{
	return process_stream(p, a[0]) ? share(p, a[0], free_number(p, 0), false) : -LINUX_EBADF;
}

int64_t process_dup3(struct hatch_process *p, const uint64_t a[8])
{
	uint32_t from = (uint32_t)a[0], to = (uint32_t)a[1];

	if (from == to || (a[2] & ~(uint64_t)OPEN_CLOSE_ON_EXEC))
		return -LINUX_EINVAL;
	if (!process_stream(p, from) || to >= HATCH_PROCESS_OPEN)
		return -LINUX_EBADF;
	close_number(p, to);
	return share(p, from, to, a[2] & OPEN_CLOSE_ON_EXEC);
}

int64_t process_fcntl(struct hatch_process *p, const uint64_t a[8])
{
	const struct hatch_process_stream *stream = process_stream(p, a[0]);
	struct hatch_process_number *number;

	if (!stream)
		return -LINUX_EBADF;
	number = &p->state.number[(uint32_t)a[0]];
	switch ((uint32_t)a[1]) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (a[2] >= HATCH_PROCESS_OPEN)
			return -LINUX_EINVAL;
		return share(p, a[0], free_number(p, a[2]), (uint32_t)a[1] == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return number->close_on_exec;
	case F_SETFD:
		number->close_on_exec = a[2] & 1;
		return 0;
	case F_GETFL:
		return stream->file == HATCH_FILES_NONE && stream->at ? 1 : 0; /* O_WRONLY */
	case F_SETFL:
		return 0;
	default:
		return -LINUX_EINVAL;
	}
}

/* The console is no terminal, and files have nothing to control. */
int64_t process_ioctl(struct hatch_process *p, const uint64_t a[8])
{
	return process_stream(p, a[0]) ? -LINUX_ENOTTY : -LINUX_EBADF;
}
