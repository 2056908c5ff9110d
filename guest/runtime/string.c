/* SPDX-License-Identifier: MIT */
/*
 * The functions that the compiler takes for granted in every program.
 */
#include <stddef.h>

/* The compiler knows such loops, and would replace them by calls to the functions they are in. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

void *memset(void *to, int byte, size_t size);
void *memcpy(void *restrict to, const void *restrict from, size_t size);

void *memset(void *to, int byte, size_t size)
{
	unsigned char *p = to;

	while (size--)
		*p++ = (unsigned char)byte;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	unsigned char *p = to;
	const unsigned char *q = from;

	while (size--)
		*p++ = *q++;
	return to;
}
