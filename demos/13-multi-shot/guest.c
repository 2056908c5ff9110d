/* SPDX-License-Identifier: MIT */
/*
 * Places eight queens so that none attacks another. It asks for the right column of each row, and
 * gives up where the answer was wrong: no search, no list of what was tried, no way back.
 */
#include "choice.h"
#include "guest.h"

#define QUEENS 8

static int column[QUEENS]; /* of the queen in each row */

static bool attacks(int row, int other)
{
	int distance = column[row] - column[other];

	return distance == 0 || distance == row - other || distance == other - row;
}

int main(void)
{
	for (int row = 0; row < QUEENS; row++) {
		column[row] = (int)hatch_guest_call(CHOICE_EID, CHOICE_OF, QUEENS).a0;
		for (int other = 0; other < row; other++)
			if (attacks(row, other))
				hatch_guest_call(CHOICE_EID, CHOICE_FAIL);
	}
	hatch_guest_call(CHOICE_EID, CHOICE_SHOW, (uintptr_t)column);
	return 0;
}
