/* SPDX-License-Identifier: MIT */
/* Makes a call that is risky, and has a handler of its own for instructions that do not exist. */
#include "guest.h"

#define INSN_LENGTH 4

static unsigned int handled;

uint64_t hatch_guest_trap(uint64_t cause, uint64_t pc, uint64_t tval)
{
	(void)tval;
	handled++;
	hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_SHOW, cause);
	return pc + INSN_LENGTH;
}

int main(void)
{
	uint64_t answer;

	hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_SHOW, 100);
	__asm__ volatile(".insn r CUSTOM_1, 0, 0, zero, zero, zero");
	answer = hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_RISKY, 6).a0;
	hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_SHOW, answer);
	return handled == 1 && answer == 42 ? 0 : 1;
}
