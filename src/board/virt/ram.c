/* SPDX-License-Identifier: MIT */
/*
 * Which RAM is free: the device tree's memory minus everything that somebody uses already.
 */
#include <string.h>

#include <libfdt.h>

#include "virt.h"

#define RESERVED_MAX 32

/* Ranges of RAM that are in use, in pages: [base, end). */
struct range {
	uint64_t base, end;
};
static struct range reserved[RESERVED_MAX];
static unsigned int reserved_count;

/*
 * Fresh RAM of QEMU is zero, but a machine that was reset keeps its old RAM. The first free page
 * behind the image tells: QEMU loads nothing there, so what we write into it outlives a reset.
 */
#define RAM_COOKIE UINT64_C(0x2d68637461682d31)

void virt_ram_reserve(uint64_t base, uint64_t size)
{
	if (!size)
		return;
	if (reserved_count == RESERVED_MAX)
		virt_die("the device tree reserves more than 32 ranges of RAM",
			 "raise RESERVED_MAX in the board's ram.c");
	reserved[reserved_count++] = (struct range){
		.base = base & ~(HATCH_PAGE_SIZE - 1),
		.end = (base + size + HATCH_PAGE_SIZE - 1) & ~(HATCH_PAGE_SIZE - 1),
	};
}

static uint64_t address_property(const void *fdt, int node, const char *name)
{
	int length = 0;
	const void *value = fdt_getprop(fdt, node, name, &length);

	if (value && length == sizeof(fdt64_t))
		return fdt64_ld(value);
	return value && length == sizeof(fdt32_t) ? fdt32_ld(value) : 0;
}

static void reserve_initrd(const void *fdt)
{
	int chosen = fdt_path_offset(fdt, "/chosen");
	uint64_t start, end;

	if (chosen < 0)
		return;
	start = address_property(fdt, chosen, "linux,initrd-start");
	end = address_property(fdt, chosen, "linux,initrd-end");
	if (end > start)
		virt_ram_reserve(start, end - start);
}

static void reserve_listed(const void *fdt)
{
	int node, parent = fdt_path_offset(fdt, "/reserved-memory");
	uint64_t base, size;

	for (int i = 0; i < fdt_num_mem_rsv(fdt); i++)
		if (!fdt_get_mem_rsv(fdt, i, &base, &size))
			virt_ram_reserve(base, size);
	if (parent < 0)
		return;
	fdt_for_each_subnode(node, fdt, parent) if (virt_tree_reg(node, &base, &size))
		virt_ram_reserve(base, size);
}

/* The lowest reserved range that meets [base, end), or NULL. */
static const struct range *first_reserved(uint64_t base, uint64_t end)
{
	const struct range *first = NULL;

	for (unsigned int i = 0; i < reserved_count; i++) {
		const struct range *r = &reserved[i];

		if (r->base < end && r->end > base && (!first || r->base < first->base))
			first = r;
	}
	return first;
}

static void add_around_reserved(uint64_t base, uint64_t end, bool zero)
{
	while (base < end) {
		const struct range *hole = first_reserved(base, end);
		uint64_t stop = hole ? hole->base : end;

		if (base < stop)
			virt_memory_add(base, stop, zero);
		base = hole ? hole->end : end;
	}
}

static bool ram_is_fresh(uint64_t *cookie)
{
	bool fresh = *cookie != RAM_COOKIE;

	*cookie = RAM_COOKIE;
	return fresh;
}

void virt_ram_init(const void *fdt)
{
	uint64_t base, size, image_end = (uintptr_t)virt_image_end;
	bool fresh = ram_is_fresh((uint64_t *)virt_image_end);
	int node = -1;

	virt_ram_reserve(image_end, HATCH_PAGE_SIZE);
	virt_ram_reserve((uintptr_t)fdt, fdt_totalsize(fdt)); /* where it is our copy: once more */
	reserve_initrd(fdt);
	reserve_listed(fdt);
	virt_blob_reserve();
	for (;;) {
		node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory",
						     sizeof("memory"));
		if (node < 0)
			break;
		if (!virt_tree_reg(node, &base, &size))
			continue;
		/* Everything from the bank's start to the image's end: the firmware and us. */
		if (base < image_end && image_end < base + size)
			virt_ram_reserve(base, image_end - base);
		add_around_reserved(base, base + size, fresh);
	}
	if (!hatch_board_memory_free())
		virt_die("no free RAM behind the program",
			 "give the machine more with -m or --memory");
}
