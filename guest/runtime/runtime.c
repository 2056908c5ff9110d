/* SPDX-License-Identifier: MIT */
#include "guest.h"

#define SBI_EXT_DBCN	      0x4442434e
#define SBI_DBCN_WRITE	      0
#define STATUS_TRAPPED(cause) (128 + (int64_t)((cause)&0x3f))

_Noreturn void hatch_guest_exit(int64_t status)
{
	/* A host that lets the guest go on after its exit call gets the same call again. */
	for (;;)
		hatch_guest_call(HATCH_EID, HATCH_EXIT, (uint64_t)status);
}

/* The host may write less than it was asked to: go on with the rest. */
bool hatch_guest_puts(const char *text)
{
	size_t size = 0;

	while (text[size])
		size++;
	while (size) {
		struct hatch_guest_answer wrote =
			hatch_guest_call(SBI_EXT_DBCN, SBI_DBCN_WRITE, size, (uintptr_t)text);
		if (wrote.a0 || !wrote.a1 || wrote.a1 > size)
			return false;
		text += wrote.a1;
		size -= wrote.a1;
	}
	return true;
}

__attribute__((weak)) uint64_t hatch_guest_trap(uint64_t cause, uint64_t pc, uint64_t tval)
{
	(void)pc;
	(void)tval;
	hatch_guest_exit(STATUS_TRAPPED(cause));
}
