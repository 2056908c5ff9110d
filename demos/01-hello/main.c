/* SPDX-License-Identifier: MIT */
/*
 * The ground under everything else: a program in HS-mode, with a console, printf, a heap and a
 * page allocator. No guest yet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hatch/board.h>

#define BLOCK_SIZE  (2UL << 20) /* bytes */
#define BLOCK_ALIGN (2UL << 20)

/* malloc is for the host program's own small things. */
static void show_heap(void)
{
	char *words = malloc(32);

	if (!words) {
		printf("malloc: the heap is used up\n");
		exit(1);
	}
	strcpy(words, "a heap of my own");
	printf("malloc gives me %s\n", words);
	free(words);
}

/* Pages are for guests: zeroed, aligned as asked, and given back with their size. */
static void show_pages(void)
{
	const struct hatch_memory *memory = hatch_board_memory();
	uint64_t before = hatch_board_memory_free();
	unsigned char *block = memory->alloc(memory->arg, BLOCK_SIZE, BLOCK_ALIGN);

	if (!block) {
		printf("alloc: no %lu bytes of RAM left, start QEMU with a larger -m\n",
		       BLOCK_SIZE);
		exit(1);
	}
	printf("a block of 2 MiB: aligned %s, first byte %d, last byte %d\n",
	       (uintptr_t)block % BLOCK_ALIGN ? "no" : "yes", block[0], block[BLOCK_SIZE - 1]);
	memory->free(memory->arg, block, BLOCK_SIZE);
	printf("given back, %s\n", hatch_board_memory_free() == before ? "nothing is missing"
								       : "but pages are missing");
}

int main(void)
{
	printf("Hello from HS-mode.\n");
	printf("The clock runs at %.1f MHz.\n", hatch_board_frequency() / 1e6);
	show_heap();
	show_pages();
	return 0;
}
