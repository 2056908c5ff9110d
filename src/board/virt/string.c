/* SPDX-License-Identifier: MIT */
/*
 * memset, memcpy and memmove by words: the C library's small ones move single bytes, and guests have
 * hundreds of megabytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The compiler knows such loops, and would replace them by calls to the functions they are in. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

typedef uint64_t __attribute__((may_alias)) word;

#define ALIGNED(p) (((uintptr_t)(p) & (sizeof(word) - 1)) == 0)
#define BLOCK	   (8 * sizeof(word))

void *memset(void *to, int byte, size_t size)
{
	const word pattern = (uint8_t)byte * UINT64_C(0x0101010101010101);
	uint8_t *p = to;

	for (; size && !ALIGNED(p); size--)
		*p++ = (uint8_t)byte;
	for (; size >= BLOCK; size -= BLOCK, p += BLOCK) {
		word *w = (word *)p;

		w[0] = w[1] = w[2] = w[3] = pattern;
		w[4] = w[5] = w[6] = w[7] = pattern;
	}
	while (size--)
		*p++ = (uint8_t)byte;
	return to;
}

static void copy_block(word *to, const word *from)
{
	word a = from[0], b = from[1], c = from[2], d = from[3];
	word e = from[4], f = from[5], g = from[6], h = from[7];

	to[0] = a, to[1] = b, to[2] = c, to[3] = d;
	to[4] = e, to[5] = f, to[6] = g, to[7] = h;
}

/* From the lowest byte up, each block read before it is written: also right for moving down. */
static void *copy_up(void *to, const void *from, size_t size)
{
	uint8_t *p = to;
	const uint8_t *q = from;

	for (; size && !ALIGNED(p); size--)
		*p++ = *q++;
	if (ALIGNED(q)) {
		for (; size >= BLOCK; size -= BLOCK, p += BLOCK, q += BLOCK)
			copy_block((word *)p, (const word *)q);
		for (; size >= sizeof(word); size -= sizeof(word)) {
			*(word *)p = *(const word *)q;
			p += sizeof(word);
			q += sizeof(word);
		}
	}
	while (size--)
		*p++ = *q++;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	return copy_up(to, from, size);
}

void *memmove(void *to, const void *from, size_t size)
{
	uint8_t *p = to;
	const uint8_t *q = from;

	if ((uintptr_t)to - (uintptr_t)from >= size)
		return copy_up(to, from, size);
	while (size--)
		p[size] = q[size];
	return to;
}
