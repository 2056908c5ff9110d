/* SPDX-License-Identifier: MIT */
/*
 * A device in a clause: a file of two registers at an address where the guest has no RAM.
 */
#include "demo.h"

#define DEVICE_BASE 0x10000000 /* guest-physical */
#define DEVICE_SIZE 8	       /* bytes */
#define REG_LED	    0	       /* bit 0: the LED shines */
#define REG_COUNTER 4	       /* read-only: how often it was read */

struct device {
	bool led;
	uint32_t counter;
};

static uint32_t device_read(struct device *device, uint64_t offset)
{
	return offset == REG_LED ? device->led : ++device->counter;
}

static void device_write(struct device *device, uint64_t offset, uint64_t value)
{
	if (offset == REG_COUNTER)
		return;
	device->led = value & 1;
	printf("the LED is %s\n", device->led ? "on" : "off");
}

/* Where and how wide is the guest's choice: what is not one whole register faults, as on a bus. */
static enum hatch_verdict on_device(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	bool write = ev->mmio.write;

	if (ev->mmio.width != 4 || ev->mmio.offset % 4)
		return hatch_inject(k, write ? CAUSE_STORE_ACCESS : CAUSE_LOAD_ACCESS,
				    hatch_cont_tval(k));
	if (!write)
		return hatch_resume(k, device_read(arg, ev->mmio.offset));
	device_write(arg, ev->mmio.offset, ev->mmio.value);
	return hatch_resume(k, 0);
}

int main(void)
{
	static struct demo demo;
	struct device device = { 0 };
	struct hatch_catch on_mmio = HATCH_ON_MMIO(DEVICE_BASE, DEVICE_SIZE, on_device, &device);

	demo_begin(&demo);
	demo_catch(&demo, &on_mmio);
	hatch_try_run(&demo.t);
	printf("the counter was read %u times\n", (unsigned int)device.counter);
	return demo_end(&demo);
}
