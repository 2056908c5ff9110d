/* SPDX-License-Identifier: MIT */
/*
 * The hart's timer has one owner: here. It is set to whatever comes first, the host's own alarm
 * or the deadline of the try that runs.
 *
 * Privileged ISA 20240411, 12.1 (stimecmp); RISC-V SBI 2.0, chapter 6 (TIME).
 */
#include <hatch/csr.h>
#include "hart.h"

#define SBI_EID_TIME 0x54494d45

static void sbi_set_timer(uint64_t ticks)
{
	register uint64_t a0 __asm__("a0") = ticks;
	register uint64_t a1 __asm__("a1");
	register uint64_t a6 __asm__("a6") = 0;
	register uint64_t a7 __asm__("a7") = SBI_EID_TIME;

	__asm__ volatile("ecall" : "+r"(a0), "=r"(a1) : "r"(a6), "r"(a7) : "memory");
}

/* Costs next to nothing when nothing changes. */
static void program(struct hatch_hart *hart)
{
	uint64_t ticks = hart->alarm < hart->deadline ? hart->alarm : hart->deadline;

	if (ticks == hart->programmed)
		return;
	hart->programmed = ticks;
	if (hart->facts.sstc)
		csr_write(stimecmp, ticks);
	else
		sbi_set_timer(ticks);
	if (ticks == HATCH_NEVER)
		csr_clear(sie, 1UL << IRQ_S_TIMER);
	else
		csr_set(sie, 1UL << IRQ_S_TIMER);
}

void hatch_hart_alarm(uint64_t ticks)
{
	struct hatch_hart *hart = hatch_hart_this();

	hart->alarm = ticks;
	program(hart);
}

bool hatch_hart_alarm_is_due(void)
{
	return csr_read(time) >= hatch_hart_this()->alarm;
}

void hatch_hart_deadline(const struct hatch_vcpu *vcpu, uint64_t deadline)
{
	struct hatch_hart *hart = hatch_hart_this();
	uint64_t now = csr_read(time), guest = now + vcpu->confine.htimedelta, ticks = now;

	if (deadline == HATCH_NEVER)
		ticks = HATCH_NEVER;
	else if (deadline > guest)
		ticks = deadline - guest < HATCH_NEVER - now ? now + (deadline - guest)
							     : HATCH_NEVER - 1;
	hart->deadline = ticks;
	program(hart);
}
