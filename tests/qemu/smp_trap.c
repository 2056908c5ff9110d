/* SPDX-License-Identifier: MIT */
/*
 * A host program with a bug, on all harts but the one that the machine booted on: one of them makes
 * the same report as ever, and the machine ends though the others are still there.
 */
#include <stdio.h>

#include <hatch/board.h>

static void stumble(void *arg, unsigned int index)
{
	while (!index)
		hatch_board_wait();
	printf("about to read from NULL\n");
	(void)*(volatile uint64_t *)arg;
}

int main(void)
{
	return hatch_board_parallel(hatch_board_harts(), stumble, NULL);
}
