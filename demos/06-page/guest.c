/* SPDX-License-Identifier: MIT */
/* Uses memory that is not there until it is touched. */
#include "guest.h"

#define HEAP	  0x90000000UL
#define PAGE_SIZE 4096

static volatile uint64_t *page(unsigned int n)
{
	return (volatile uint64_t *)(HEAP + (uint64_t)n * PAGE_SIZE);
}

int main(void)
{
	uint64_t fresh = *page(0); /* a load: a page of zeros */

	*page(0) = 7;
	*page(5) = 35;					      /* a store at once */
	hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_SHOW, 1); /* a checkpoint */
	*page(5) += *page(0);
	return fresh == 0 && *page(5) == 42 ? 0 : 1;
}
