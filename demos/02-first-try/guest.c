/* SPDX-License-Identifier: MIT */
/* Knows how to ask, not how to count: three times it asks for the number after this one. */
#include "guest.h"

int main(void)
{
	uint64_t number = 40;

	for (int i = 0; i < 3; i++)
		number = hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_NEXT, number).a0;
	return (int)number;
}
