/* SPDX-License-Identifier: MIT */
#include "end.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* What a pipe that is ready takes without waiting. */
enum { SHARED_MOST = 4096 };

/* The master of a pseudo terminal would become another one by being opened again. */
static bool is_master(int fd)
{
	unsigned int number;

	return !ioctl(fd, TIOCGPTN, &number);
}

/* The same pipe or terminal, by an opening of our own. */
static int open_anew(int fd, bool writes)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, (writes ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static struct hatch_end adopt(enum hatch_end_kind kind, int fd, bool terminal)
{
	return (struct hatch_end){ fd < 0 ? HATCH_END_NONE : kind, fd, terminal };
}

/* A pipe of another user cannot be opened again: then it stays shared. */
struct hatch_end hatch_end_of(int fd, bool writes)
{
	struct stat status;
	bool terminal = isatty(fd);
	int own = -1;

	if (fstat(fd, &status))
		return adopt(HATCH_END_NONE, -1, false);
	if (S_ISFIFO(status.st_mode) || (terminal && !is_master(fd)))
		own = open_anew(fd, writes);
	if (own >= 0)
		return adopt(HATCH_END_OWN, own, terminal);
	return adopt(S_ISSOCK(status.st_mode)				  ? HATCH_END_SOCKET
		     : S_ISREG(status.st_mode) || S_ISBLK(status.st_mode) ? HATCH_END_FILE
									  : HATCH_END_SHARED,
		     fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), terminal);
}

struct hatch_end hatch_end_take(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return adopt(HATCH_END_OWN, fd, false);
}

void hatch_end_close(struct hatch_end *end)
{
	if (end->kind != HATCH_END_NONE)
		close(end->fd);
	*end = (struct hatch_end){ HATCH_END_NONE, -1, false };
}

/* Somebody else may have read what poll() saw; where the kernel can, it is told not to wait. */
static ssize_t read_shared(int fd, void *data, size_t size)
{
	struct iovec piece = { data, size };
	ssize_t done = preadv2(fd, &piece, 1, -1, RWF_NOWAIT);

	return done < 0 && errno != EAGAIN && errno != EINTR ? read(fd, data, size) : done;
}

ssize_t hatch_end_read(const struct hatch_end *end, void *data, size_t size)
{
	switch (end->kind) {
	case HATCH_END_NONE:
		return 0;
	case HATCH_END_SOCKET:
		return recv(end->fd, data, size, MSG_DONTWAIT);
	case HATCH_END_SHARED:
		return read_shared(end->fd, data, size);
	default:
		return read(end->fd, data, size);
	}
}

ssize_t hatch_end_write(const struct hatch_end *end, const void *data, size_t size)
{
	switch (end->kind) {
	case HATCH_END_NONE:
		return (ssize_t)size;
	case HATCH_END_SOCKET:
		return send(end->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	case HATCH_END_SHARED:
		return write(end->fd, data, size < SHARED_MOST ? size : SHARED_MOST);
	default:
		return write(end->fd, data, size);
	}
}

bool hatch_end_background(const struct hatch_end *end)
{
	pid_t group = end->terminal ? tcgetpgrp(end->fd) : -1;

	return group > 0 && group != getpgrp();
}

/* Of a file that was opened twice each has a place of its own; where that cannot be told, once. */
bool hatch_end_same(int a, int b)
{
	struct stat one, other;

	if (fstat(a, &one) || fstat(b, &other) || one.st_dev != other.st_dev ||
	    one.st_ino != other.st_ino)
		return false;
	if (!S_ISREG(one.st_mode))
		return true;
	return syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b) <= 0;
}
