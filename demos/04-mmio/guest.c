/* SPDX-License-Identifier: MIT */
/* A driver for the demo's device: it never learns that there is no such chip. */
#include "guest.h"

#define DEVICE 0x10000000UL

static volatile uint32_t *const led = (volatile uint32_t *)DEVICE;
static volatile const uint32_t *const counter = (volatile const uint32_t *)(DEVICE + 4);

int main(void)
{
	*led = 1;
	while (*counter < 3)
		;
	*led = 0;
	return *counter == 4 && *led == 0 ? 0 : 1;
}
