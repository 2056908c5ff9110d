/* SPDX-License-Identifier: MIT */
/* Uses an instruction that no CPU has: gcd rd, rs1, rs2 in the opcode space for custom ones. */
#include "guest.h"

static uint64_t gcd(uint64_t a, uint64_t b)
{
	uint64_t result;

	__asm__ volatile(".insn r CUSTOM_0, 0, 0, %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
	return result;
}

int main(void)
{
	hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_SHOW, gcd(48, 36));
	hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_SHOW, gcd(1071, 462));
	return 0;
}
