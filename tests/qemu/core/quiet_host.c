/* SPDX-License-Identifier: MIT */
#include <hatch/board.h>

#include "quiet_host.h"

static void console_write(void *arg, const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	(void)size;
}

static int console_read(void *arg)
{
	(void)arg;
	return -1;
}

static void console_interrupt(void *arg, bool on)
{
	(void)arg;
	(void)on;
}

static void timer(void *arg, uint64_t ticks)
{
	(void)arg;
	hatch_board_timer(ticks);
}

static uint64_t wall_ns(void *arg)
{
	(void)arg;
	return hatch_board_wall_ns();
}

struct hatch_machine_host quiet_host(void)
{
	return (struct hatch_machine_host){
		.fdt = hatch_board_fdt(),
		.console_write = console_write,
		.console_read = console_read,
		.console_interrupt = console_interrupt,
		.timer = timer,
		.wall_ns = wall_ns,
	};
}
