/* SPDX-License-Identifier: MIT */
/* A process's system calls that read and write. */
#include <string.h>

#include "process_internal.h"

enum whence { FROM_START, FROM_HERE, FROM_END };

enum poll_event {
	POLL_IN = 0x001,
	POLL_OUT = 0x004,
	POLL_BAD = 0x020,
};

struct vector {
	uint64_t base, size;
};

struct poll {
	int32_t number;
	int16_t wanted, found;
};

static uint64_t limit(uint64_t size)
{
	return size < PROCESS_IO ? size : PROCESS_IO;
}

/* A call that has moved some bytes tells of these rather than of the error that came then. */
static int64_t result(uint64_t moved, int64_t error)
{
	return moved && error > PROCESS_STARVED ? (int64_t)moved : error ? error : (int64_t)moved;
}

static int64_t read_console(struct hatch_process *p, uint64_t to, uint64_t size)
{
	uint8_t chunk[PROCESS_CHUNK];
	size_t found = 0;
	int error;

	if (!size || !p->config.read)
		return 0;
	/* What was read cannot be put back: so it is found out first whether there is a place. */
	size = size < sizeof(chunk) ? size : sizeof(chunk);
	memset(chunk, 0, sizeof(chunk));
	error = process_copy_out(p, to, chunk, size);
	if (!error)
		found = p->config.read(p->config.arg, chunk, size);
	if (found > size)
		found = size;
	return error ? error : result(found, process_copy_out(p, to, chunk, found));
}

/* From the file's byte `at` on; nothing behind its end. */
static int64_t read_file(struct hatch_process *p, uint32_t number, uint64_t at, uint64_t to,
			 uint64_t size)
{
	const struct hatch_file *file = process_file(p, number);
	int error;

	if (at >= file->size)
		return 0;
	size = limit(size < file->size - at ? size : file->size - at);
	error = process_copy_out(p, to, file->data + at, size);
	return error ? error : (int64_t)size;
}

/* Whether a stream has bytes to read: an error, or 0. */
static int64_t check_read(struct hatch_process *p, const struct hatch_process_stream *stream)
{
	if (!stream || stream->path_only)
		return -LINUX_EBADF;
	if (stream->file == HATCH_FILES_NONE)
		return stream->at ? -LINUX_EBADF : 0;
	return process_kind(p, stream->file) == HATCH_FILE_FOLDER ? -LINUX_EISDIR : 0;
}

static int64_t read_stream(struct hatch_process *p, struct hatch_process_stream *stream,
			   uint64_t to, uint64_t size)
{
	int64_t done = check_read(p, stream);

	if (done)
		return done;
	if (stream->file == HATCH_FILES_NONE)
		return read_console(p, to, size);
	done = read_file(p, stream->file, stream->at, to, size);
	if (done > 0)
		stream->at += (uint64_t)done;
	return done;
}

static int64_t write_stream(struct hatch_process *p, struct hatch_process_stream *stream,
			    uint64_t from, uint64_t size)
{
	uint8_t chunk[PROCESS_CHUNK];
	uint64_t done = 0;
	int error = 0;

	if (!stream || stream->path_only || stream->file != HATCH_FILES_NONE || !stream->at)
		return -LINUX_EBADF;
	size = size < PROCESS_CONSOLE ? size : PROCESS_CONSOLE;
	while (!error && done < size) {
		size_t n = size - done < sizeof(chunk) ? size - done : sizeof(chunk);

		error = process_copy_in(p, from + done, chunk, n);
		if (!error && p->config.write)
			p->config.write(p->config.arg, (int)stream->at, chunk, n);
		done += error ? 0 : n;
	}
	return result(done, error);
}

int64_t process_read(struct hatch_process *p, const uint64_t a[8])
{
	return read_stream(p, process_stream(p, a[0]), a[1], a[2]);
}

int64_t process_write(struct hatch_process *p, const uint64_t a[8])
{
	return write_stream(p, process_stream(p, a[0]), a[1], a[2]);
}

int64_t process_pread64(struct hatch_process *p, const uint64_t a[8])
{
	const struct hatch_process_stream *stream = process_stream(p, a[0]);
	int64_t error = check_read(p, stream);

	if (error)
		return error;
	if (stream->file == HATCH_FILES_NONE)
		return -LINUX_ESPIPE;
	if (a[3] > INT64_MAX)
		return -LINUX_EINVAL;
	return read_file(p, stream->file, a[3], a[1], a[2]);
}

typedef int64_t transfer(struct hatch_process *p, struct hatch_process_stream *stream, uint64_t at,
			 uint64_t size);

/* Nothing interrupts a handler, and the console may be slow: the rest is another call's. */
static uint64_t most_for(const struct hatch_process_stream *stream)
{
	return stream->file == HATCH_FILES_NONE ? PROCESS_CONSOLE : PROCESS_IO;
}

/* Each piece is read from the program's memory once, when its turn comes. */
static int64_t move_vector(struct hatch_process *p, const uint64_t a[8], transfer *move)
{
	struct hatch_process_stream *stream = process_stream(p, a[0]);
	uint64_t moved = 0;

	if ((uint32_t)a[2] > PROCESS_VECTORS)
		return -LINUX_EINVAL;
	if (!stream)
		return -LINUX_EBADF;
	for (uint32_t i = 0; i < (uint32_t)a[2] && moved < most_for(stream); i++) {
		struct vector piece;
		int64_t done = process_copy_in(p, a[1] + i * sizeof(piece), &piece, sizeof(piece));

		if (!done && piece.size)
			done = move(p, stream, piece.base, piece.size);
		if (done < 0)
			return result(moved, done);
		moved += (uint64_t)done;
		if ((uint64_t)done < piece.size)
			break;
	}
	return (int64_t)moved;
}

int64_t process_readv(struct hatch_process *p, const uint64_t a[8])
{
	return move_vector(p, a, read_stream);
}

int64_t process_writev(struct hatch_process *p, const uint64_t a[8])
{
	return move_vector(p, a, write_stream);
}

int64_t process_lseek(struct hatch_process *p, const uint64_t a[8])
{
	struct hatch_process_stream *stream = process_stream(p, a[0]);
	int64_t base, to;

	if (!stream || stream->path_only)
		return -LINUX_EBADF;
	if (stream->file == HATCH_FILES_NONE)
		return -LINUX_ESPIPE;
	if (a[2] > FROM_END)
		return -LINUX_EINVAL;
	base = a[2] == FROM_HERE ? (int64_t)stream->at : 0;
	if (a[2] == FROM_END)
		base = (int64_t)process_file(p, stream->file)->size;
	if (__builtin_add_overflow(base, (int64_t)a[1], &to) || to < 0)
		return -LINUX_EINVAL;
	stream->at = (uint64_t)to;
	return to;
}

/* Files never wait, nor does the console: each is ready for what it can do. */
static int16_t ready(struct hatch_process *p, int32_t number, int16_t wanted)
{
	const struct hatch_process_stream *stream = process_stream(p, (uint32_t)number);

	if (!stream)
		return POLL_BAD;
	if (stream->file == HATCH_FILES_NONE)
		return wanted & (stream->at ? POLL_OUT : POLL_IN);
	return wanted & (POLL_IN | POLL_OUT);
}

/* Nothing becomes ready later, so there is nothing to wait for either. */
int64_t process_ppoll(struct hatch_process *p, const uint64_t a[8])
{
	int64_t count = 0;

	if (a[1] > HATCH_PROCESS_OPEN)
		return -LINUX_EINVAL;
	for (uint64_t i = 0; i < a[1]; i++) {
		uint64_t at = a[0] + i * sizeof(struct poll);
		struct poll poll;
		int error = process_copy_in(p, at, &poll, sizeof(poll));

		if (error)
			return error;
		poll.found = poll.number < 0 ? 0 : ready(p, poll.number, poll.wanted);
		count += poll.found != 0;
		error = process_copy_out(p, at, &poll, sizeof(poll));
		if (error)
			return error;
	}
	return count;
}
