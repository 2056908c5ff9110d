/* SPDX-License-Identifier: MIT */
/*
 * Questions to the device tree of the real machine.
 */
#include <string.h>

#include <libfdt.h>

#include "virt.h"

#define COPY_SIZE (128 << 10) /* bytes; QEMU's trees have some 10 KiB */

static const void *tree;
static _Alignas(8) uint8_t copy[COPY_SIZE];

/*
 * Firmware leaves the tree where it likes, in the middle of the RAM if there is more than 1 GiB: a
 * guest that wants most of the RAM in one piece could not have it. True: the original's place is
 * free, and zero again.
 */
static bool move_tree(void *fdt)
{
	size_t size = fdt_totalsize(fdt);

	if (fdt_open_into(fdt, copy, COPY_SIZE) || fdt_pack(copy))
		return false;
	memset(fdt, 0, size);
	return true;
}

const void *hatch_board_fdt(void)
{
	return tree;
}

void virt_tree_init(void *fdt)
{
	if (fdt_check_header(fdt))
		virt_die("the firmware handed over no device tree",
			 "boot through OpenSBI with a1 pointing to one (QEMU: -bios default)");
	tree = move_tree(fdt) ? copy : fdt;
}

int virt_tree_find(const char *compatible)
{
	return tree ? fdt_node_offset_by_compatible(tree, -1, compatible) : -FDT_ERR_NOTFOUND;
}

static uint64_t read_cells(const fdt32_t *cell, int count)
{
	uint64_t value = 0;

	while (count-- > 0)
		value = value << 32 | fdt32_to_cpu(*cell++);
	return value;
}

bool virt_tree_reg(int node, uint64_t *base, uint64_t *size)
{
	int length, parent = fdt_parent_offset(tree, node);
	const fdt32_t *reg = fdt_getprop(tree, node, "reg", &length);
	int address_cells = fdt_address_cells(tree, parent);
	int size_cells = fdt_size_cells(tree, parent);

	if (!reg || address_cells < 1 || size_cells < 0 ||
	    length < (address_cells + size_cells) * (int)sizeof(*reg))
		return false;
	*base = read_cells(reg, address_cells);
	*size = read_cells(reg + address_cells, size_cells);
	return true;
}

uintptr_t virt_tree_device(const char *compatible)
{
	uint64_t base, size;
	int node = virt_tree_find(compatible);

	return node >= 0 && virt_tree_reg(node, &base, &size) ? base : 0;
}

uint32_t virt_tree_cell(int node, const char *property, uint32_t otherwise)
{
	int length;
	const fdt32_t *cell = fdt_getprop(tree, node, property, &length);

	return cell && length >= (int)sizeof(*cell) ? fdt32_to_cpu(*cell) : otherwise;
}

int virt_tree_next_cpu(int node, uint64_t *hart_id)
{
	uint64_t none;

	for (;;) {
		const char *status;

		node = fdt_node_offset_by_prop_value(tree, node, "device_type", "cpu",
						     sizeof("cpu"));
		if (node < 0)
			return node;
		status = fdt_getprop(tree, node, "status", NULL);
		if (status && strcmp(status, "okay") && strcmp(status, "ok"))
			continue;
		if (virt_tree_reg(node, hart_id, &none))
			return node;
	}
}

/*
 * "rv64imafdch_zicsr_sstc": single letters up to the first underscore, then whole names.
 */
static bool isa_has(const char *isa, const char *name)
{
	size_t letters = strcspn(isa, "_"), length = strlen(name);

	if (length == 1)
		return letters > 4 && memchr(isa + 4, name[0], letters - 4);
	for (isa += letters; *isa == '_'; isa += strcspn(isa, "_")) {
		isa++;
		if (strcspn(isa, "_") == length && !memcmp(isa, name, length))
			return true;
	}
	return false;
}

bool virt_tree_has_extension(const char *name)
{
	int node = fdt_node_offset_by_prop_value(tree, -1, "device_type", "cpu", sizeof("cpu"));
	const char *isa;

	if (node < 0)
		return false;
	if (fdt_stringlist_search(tree, node, "riscv,isa-extensions", name) >= 0)
		return true;
	isa = fdt_getprop(tree, node, "riscv,isa", NULL);
	return isa && isa_has(isa, name);
}
