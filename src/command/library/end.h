/* SPDX-License-Identifier: MIT */
/*
 * Where a stream leaves us: a file, pipe, socket or terminal that others may have, too. Such a one
 * is never made non-blocking, for its flags are shared with them, the shell that started us among
 * them. Yet a read or write of ours must not wait, for the same thread carries all other streams.
 */
#ifndef HATCH_LIBRARY_END_H
#define HATCH_LIBRARY_END_H

#include <stdbool.h>
#include <sys/types.h>

enum hatch_end_kind {
	HATCH_END_NONE,	  /* nothing comes from it, what goes to it is dropped */
	HATCH_END_OWN,	  /* opened anew, by us: its flags are ours, it never waits */
	HATCH_END_SOCKET, /* each call says that it does not wait */
	HATCH_END_FILE,	  /* of a disk: it is always ready, and waits for the disk only */
	HATCH_END_SHARED, /* poll() is asked, then little is moved */
};

struct hatch_end {
	enum hatch_end_kind kind;
	int fd;	       /* ours, to be closed; negative: none */
	bool terminal; /* it is one: who is in its background may not read it */
};

/* Of FD, which stays the caller's. Kind NONE and errno on failure. */
struct hatch_end hatch_end_of(int fd, bool writes);

/* Of a pipe's end that is ours alone: it is taken over. */
struct hatch_end hatch_end_take(int fd);

void hatch_end_close(struct hatch_end *end);

/* As read() and write(): -1 with EAGAIN when it would have to wait; no SIGPIPE. */
ssize_t hatch_end_read(const struct hatch_end *end, void *data, size_t size);
ssize_t hatch_end_write(const struct hatch_end *end, const void *data, size_t size);

/* Whether it is a terminal that other processes have at present. */
bool hatch_end_background(const struct hatch_end *end);

/* Whether both descriptors lead to the same place, so that their writes have an order. */
bool hatch_end_same(int a, int b);

#endif
