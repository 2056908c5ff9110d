/* SPDX-License-Identifier: MIT */
/* Calls of the SBI whose arguments are addresses. */
#include "canary_guest.h"

#define SBI_DBCN   0x4442434e
#define SBI_RFENCE 0x52464e43
#define SBI_HSM	   0x48534d
#define SBI_SUSP   0x53555350

#define LENGTH(a)  (sizeof(a) / sizeof((a)[0]))

static void log_answer(struct hatch_guest_answer answer)
{
	canary_log_value(answer.a0);
	canary_log_value(answer.a1);
}

static uint64_t any_size(void)
{
	static const uint64_t sizes[] = { 0,	     1,		2,	   8,	     64,
					  4095,	     4096,	4097,	   0x100000, 0x100001,
					  1UL << 31, 1UL << 32, 1UL << 63, -1UL };

	return canary_any(2) ? sizes[canary_any(LENGTH(sizes))] : canary_any(0x2000);
}

/* A piece that ends just where it must not: the first byte behind it is somebody else's. */
static void console_edge(uint64_t function)
{
	uint64_t left = canary_any(512);

	log_answer(
		hatch_guest_call(SBI_DBCN, function, left + canary_any(16), CANARY_RAM_END - left));
}

/* What is read comes into RAM where that is allowed: only at its edge. */
void canary_try_console(void)
{
	uint64_t function = canary_any(2);
	struct canary_target target = function ? canary_target_outside() : canary_target();

	if (!canary_any(4))
		console_edge(function);
	else
		log_answer(
			hatch_guest_call(SBI_DBCN, function, any_size(), target.at,
					 canary_any(8) ? 0 : canary_any_bits() >> canary_any(64)));
}

/* The legacy calls of fences and interrupts read a mask at an address. */
static void call_legacy(uint64_t at)
{
	log_answer(hatch_guest_call(4 + canary_any(4), 0, at, at, any_size()));
}

/* Shared memory, and other places of extensions that there are not. */
static void call_unknown(uint64_t at)
{
	static const uint64_t extensions[] = { 0x535441, 0x4e41434c, 0x504d55, 0x46574654, 0x10 };

	log_answer(hatch_guest_call(extensions[canary_any(LENGTH(extensions))], canary_any(8), at,
				    canary_any_bits(), at));
}

void canary_try_call(void)
{
	uint64_t at = canary_target_outside().at;

	if (at + 8 > CANARY_RAM && at < CANARY_RAM_END) /* no place to begin */
		at = CANARY_RAM_END;
	switch (canary_any(6)) {
	case 0:
		log_answer(hatch_guest_call(SBI_HSM, 0, 1, at, at));
		break;
	case 1:
		log_answer(hatch_guest_call(SBI_HSM, 3, 0x80000000, at, at));
		break;
	case 2:
		log_answer(hatch_guest_call(SBI_SUSP, 0, 0, at, at));
		break;
	case 3:
		log_answer(hatch_guest_call(SBI_RFENCE, canary_any(8), canary_any(4), 0, at,
					    any_size(), canary_any_bits()));
		break;
	case 4:
		call_legacy(at);
		break;
	default:
		call_unknown(at);
	}
}
