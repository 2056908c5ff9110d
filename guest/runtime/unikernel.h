/* SPDX-License-Identifier: MIT */
/*
 * The eight calls of a unikernel, for its own side. Each is one ecall; errors are those of
 * enum hatch_unikernel_error, negative. Sizes are bytes, times nanoseconds since 1970.
 */
#ifndef GUEST_UNIKERNEL_H
#define GUEST_UNIKERNEL_H

#include "guest.h"

#define UNIKERNEL_FOREVER UINT64_MAX /* a time that does not come */

/*
 * What main is given: `int main(uint64_t sectors, uint64_t sector_size, uint64_t address)`. Without
 * a disk the first two are 0, without a network the last.
 */
int main(uint64_t sectors, uint64_t sector_size, uint64_t address);

#define unikernel_call(function, ...)                                                              \
	hatch_guest_call(HATCH_UNIKERNEL_EID, HATCH_UNIKERNEL_##function, ##__VA_ARGS__)

static inline uint64_t unikernel_walltime(void)
{
	return unikernel_call(WALLTIME, 0).a1;
}

/* Writes all of the text. The host may take less at a time: then it is asked again. */
static inline int64_t unikernel_puts(const char *text)
{
	struct hatch_guest_answer wrote = { .a0 = 0 };
	size_t size = 0;

	while (text[size])
		size++;
	for (; size && !wrote.a0; text += wrote.a1, size -= wrote.a1)
		wrote = unikernel_call(PUTS, (uintptr_t)text, size);
	return (int64_t)wrote.a0;
}

/* Waits for a frame, until that time at most. True: one waits. */
static inline bool unikernel_poll(uint64_t until)
{
	return unikernel_call(POLL, until).a1;
}

static inline int64_t unikernel_block_read(uint64_t sector, void *to, size_t size)
{
	return (int64_t)unikernel_call(BLOCK_READ, sector, (uintptr_t)to, size).a0;
}

static inline int64_t unikernel_block_write(uint64_t sector, const void *from, size_t size)
{
	return (int64_t)unikernel_call(BLOCK_WRITE, sector, (uintptr_t)from, size).a0;
}

/* Returns the size of the frame that it took off the queue, or an error. */
static inline int64_t unikernel_net_read(void *to, size_t room)
{
	struct hatch_guest_answer got = unikernel_call(NET_READ, (uintptr_t)to, room);

	return got.a0 ? (int64_t)got.a0 : (int64_t)got.a1;
}

static inline int64_t unikernel_net_write(const void *frame, size_t size)
{
	return (int64_t)unikernel_call(NET_WRITE, (uintptr_t)frame, size).a0;
}

/* Like hatch_guest_exit, in the unikernel's own words. A host that goes on is asked again. */
static inline _Noreturn void unikernel_halt(int64_t status)
{
	for (;;)
		unikernel_call(HALT, (uint64_t)status);
}

#endif
