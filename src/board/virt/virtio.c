/* SPDX-License-Identifier: MIT */
/*
 * The machine's virtio-mmio devices. QEMU's virt machine has eight places for them, most of them
 * empty.
 *
 * Virtual I/O Device (VIRTIO) 1.2, 4.2.2.
 */
#include <libfdt.h>

#include "virt.h"

/* Byte offsets from a device's base */
#define VIRTIO_MAGIC_VALUE 0x000
#define VIRTIO_VERSION	   0x004
#define VIRTIO_DEVICE_ID   0x008

#define MAGIC		   0x74726976 /* "virt" */
#define VERSION		   2

/* The place with the lowest address from `from` on; negative: none. */
static int find_place(uint64_t from, uint64_t *lowest)
{
	int node = -1, found = -1;
	uint64_t base, size;

	for (;;) {
		node = fdt_node_offset_by_compatible(hatch_board_fdt(), node, "virtio,mmio");
		if (node < 0)
			return found;
		if (!virt_tree_reg(node, &base, &size) || base < from)
			continue;
		if (found < 0 || base < *lowest) {
			found = node;
			*lowest = base;
		}
	}
}

/* 0: the place is empty. */
static uint32_t device_id(uint64_t base)
{
	uint32_t id;

	if (virt_read32(base + VIRTIO_MAGIC_VALUE) != MAGIC)
		return 0;
	id = virt_read32(base + VIRTIO_DEVICE_ID);
	if (id && virt_read32(base + VIRTIO_VERSION) != VERSION)
		virt_die("a virtio device has the registers of the old version 1",
			 "start QEMU with -global virtio-mmio.force-legacy=false");
	return id;
}

static int find_device(unsigned int index, uint64_t *base)
{
	int node = find_place(0, base);

	while (node >= 0 && (!device_id(*base) || index--))
		node = find_place(*base + 1, base);
	return node;
}

bool hatch_board_virtio(unsigned int index, struct hatch_board_virtio *device)
{
	uint64_t base;
	int node = find_device(index, &base);

	if (node < 0 || HATCH_BOARD_IRQ_VIRTIO + index >= HATCH_BOARD_IRQ_OTHER)
		return false;
	virt_interrupt_enable(virt_tree_cell(node, "interrupts", 0),
			      HATCH_BOARD_IRQ_VIRTIO + index);
	*device = (struct hatch_board_virtio){ (void *)(uintptr_t)base, device_id(base) };
	return true;
}

uint64_t hatch_board_virtio_load(void *registers, uint64_t offset, unsigned int width)
{
	volatile void *at = (char *)registers + offset;
	uint64_t value = width == 1   ? *(volatile uint8_t *)at
			 : width == 2 ? *(volatile uint16_t *)at
				      : *(volatile uint32_t *)at;

	virt_io_barrier();
	return value;
}

void hatch_board_virtio_store(void *registers, uint64_t offset, unsigned int width, uint64_t value)
{
	volatile void *at = (char *)registers + offset;

	virt_io_barrier();
	if (width == 1)
		*(volatile uint8_t *)at = (uint8_t)value;
	else if (width == 2)
		*(volatile uint16_t *)at = (uint16_t)value;
	else
		*(volatile uint32_t *)at = (uint32_t)value;
}
