/* SPDX-License-Identifier: MIT */
/* A hart that the machine did not boot on needs more stack than it has: told at the end. */
#include <stdio.h>

#include <hatch/board.h>

#define TOO_MUCH (128 << 10) /* bytes: all there is, and something is in use already */

static void sprawl(void *arg, unsigned int index)
{
	volatile uint8_t *large;

	if (index != 1)
		return;
	large = __builtin_alloca(TOO_MUCH);
	large[0] = 1;
}

int main(void)
{
	int error = hatch_board_parallel(2, sprawl, NULL);

	printf("the work is done: %d\n", error);
	return error;
}
