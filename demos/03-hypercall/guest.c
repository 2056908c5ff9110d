/* SPDX-License-Identifier: MIT */
/* Lets the host calculate, and shows what came back. */
#include "guest.h"

static void show(uint64_t number)
{
	hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_SHOW, number);
}

int main(void)
{
	struct hatch_guest_answer answer;

	show(hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_ADD, 20, 22).a0);

	answer = hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_DIVIDE, 84, 12);
	if (!answer.a0)
		show(answer.a1);

	answer = hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_DIVIDE, 1, 0);
	return answer.a0 ? 0 : 1; /* the host must have said no */
}
