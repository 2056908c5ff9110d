/* SPDX-License-Identifier: MIT */
/* One device of the machine, in QEMU's words. */
#ifndef HATCH_COMMAND_PLUG_H
#define HATCH_COMMAND_PLUG_H

struct hatch_plug {
	const char *back;   /* the value of what stands behind it: -drive, -netdev, -fsdev */
	const char *device; /* the value of -device, but for the slot */
};

#endif
