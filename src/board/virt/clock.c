/* SPDX-License-Identifier: MIT */
/*
 * Time: the time CSR, the hart's timer interrupt, the goldfish real-time clock.
 */
#include <libfdt.h>

#include <hatch/csr.h>
#include <hatch/hart.h>

#include "virt.h"

#define RTC_TIME_LOW  0x00 /* reading it latches TIME_HIGH */
#define RTC_TIME_HIGH 0x04

uint64_t hatch_board_ticks(void)
{
	return csr_read(time);
}

uint64_t hatch_board_frequency(void)
{
	int cpus = fdt_path_offset(hatch_board_fdt(), "/cpus");
	uint32_t frequency = virt_tree_cell(cpus, "timebase-frequency", 0);

	if (!frequency)
		virt_die("the device tree tells no timebase-frequency",
			 "use a device tree whose /cpus node has it");
	return frequency;
}

uint64_t hatch_board_wall_ns(void)
{
	static struct hatch_lock lock; /* guards the latch */
	uintptr_t rtc = virt_tree_device("google,goldfish-rtc");
	uint64_t low, high;

	if (!rtc)
		return 0;
	hatch_lock_acquire(&lock);
	low = virt_read32(rtc + RTC_TIME_LOW);
	high = virt_read32(rtc + RTC_TIME_HIGH);
	hatch_lock_release(&lock);
	return high << 32 | low;
}

void hatch_board_timer(uint64_t ticks)
{
	hatch_hart_alarm(ticks);
}
