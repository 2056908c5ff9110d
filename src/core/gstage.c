/* SPDX-License-Identifier: MIT */
/*
 * G-stage translation: what may be asked of it, and lookups. gstage_edit.c does the changes.
 */
#include <hatch/csr.h>

#include "gstage_tables.h"

/* ---- Rights and ranges ---- */

static uint64_t leaf_flags(unsigned int prot)
{
	uint64_t flags = PTE_V | PTE_U | PTE_A | PTE_D;

	if (prot & HATCH_PROT_READ)
		flags |= PTE_R;
	if (prot & HATCH_PROT_WRITE)
		flags |= PTE_W;
	if (prot & HATCH_PROT_EXEC)
		flags |= PTE_X;
	return flags;
}

static unsigned int prot_of_pte(uint64_t pte)
{
	unsigned int prot = HATCH_PROT_NONE;

	if (pte & PTE_R)
		prot |= HATCH_PROT_READ;
	if (pte & (PTE_W | PTE_COW))
		prot |= HATCH_PROT_WRITE;
	if (pte & PTE_X)
		prot |= HATCH_PROT_EXEC;
	return prot;
}

/* A write-only leaf is a reserved encoding, and one without rights would be a pointer. */
static bool prot_is_valid(unsigned int prot)
{
	if (prot == HATCH_PROT_NONE || prot & ~(unsigned int)HATCH_PROT_ALL)
		return false;
	return !(prot & HATCH_PROT_WRITE) || prot & HATCH_PROT_READ;
}

static bool range_is_valid(uint64_t start, uint64_t size, uint64_t limit)
{
	return size && !((start | size) & (HATCH_PAGE_SIZE - 1)) && start <= limit &&
	       size <= limit - start;
}

/* How many bytes of [gpa, end) are mapped below this table. */
static uint64_t count_mapped(const struct hatch_gstage *stage, uint64_t *table, unsigned int level,
			     uint64_t gpa, uint64_t end)
{
	uint64_t next, bytes = 0;

	for (; gpa < end; gpa = next) {
		uint64_t pte = *entry_of(stage, table, level, gpa);

		next = entry_end(level, gpa, end);
		if (is_leaf(pte))
			bytes += next - gpa;
		else if (pte)
			bytes += count_mapped(stage, table_of(stage, pte), level - 1, gpa, next);
	}
	return bytes;
}

static uint64_t mapped_bytes(const struct hatch_gstage *stage, uint64_t gpa, uint64_t size)
{
	return count_mapped(stage, stage->root, top_level(stage), gpa, gpa + size);
}

/* ---- The interface ---- */

int hatch_gstage_init(struct hatch_gstage *stage, const struct hatch_memory *memory,
		      enum hatch_gstage_mode mode, uint16_t vmid)
{
	if ((mode != HATCH_SV39X4 && mode != HATCH_SV48X4) || vmid > HGATP_VMID_MASK)
		return HATCH_EINVAL;
	*stage = (struct hatch_gstage){ .memory = memory, .mode = mode, .vmid = vmid };
	stage->root = memory->alloc(memory->arg, ROOT_SIZE, ROOT_SIZE);
	if (!stage->root)
		return HATCH_ENOMEM;
	stage->pages = ROOT_SIZE / HATCH_PAGE_SIZE;
	return HATCH_OK;
}

void hatch_gstage_fini(struct hatch_gstage *stage)
{
	if (!stage->root)
		return;
	lock_stage(stage);
	hatch_gstage_raze(stage);
	unlock_stage(stage);
}

int hatch_gstage_map(struct hatch_gstage *stage, hatch_gpa gpa, hatch_hpa hpa, uint64_t size,
		     unsigned int prot)
{
	int error = HATCH_EOVERLAP;

	if (!range_is_valid(gpa.addr, size, address_limit(stage)) ||
	    !range_is_valid(hpa.addr, size, (uint64_t)1 << HPA_BITS) || !prot_is_valid(prot))
		return HATCH_EINVAL;
	lock_stage(stage);
	if (!mapped_bytes(stage, gpa.addr, size))
		error = hatch_gstage_fill(stage, gpa.addr, hpa.addr, size, leaf_flags(prot));
	unlock_stage(stage);
	return error;
}

int hatch_gstage_unmap(struct hatch_gstage *stage, hatch_gpa gpa, uint64_t size)
{
	int error;

	if (!range_is_valid(gpa.addr, size, address_limit(stage)))
		return HATCH_EINVAL;
	lock_stage(stage);
	error = hatch_gstage_rewrite(stage, gpa.addr, size, 0);
	unlock_stage(stage);
	return error;
}

int hatch_gstage_protect(struct hatch_gstage *stage, hatch_gpa gpa, uint64_t size,
			 unsigned int prot)
{
	int error = HATCH_EFAULT;

	if (!range_is_valid(gpa.addr, size, address_limit(stage)) || !prot_is_valid(prot))
		return HATCH_EINVAL;
	lock_stage(stage);
	if (mapped_bytes(stage, gpa.addr, size) == size)
		error = hatch_gstage_rewrite(stage, gpa.addr, size, leaf_flags(prot));
	unlock_stage(stage);
	return error;
}

int hatch_gstage_find(const struct hatch_gstage *stage, hatch_gpa gpa, struct hatch_mapping *out)
{
	unsigned int level;
	uint64_t pte;

	if (gpa.addr >= address_limit(stage))
		return HATCH_EFAULT;
	pte = *walk(stage, gpa.addr, &level);
	if (!pte)
		return HATCH_EFAULT;
	out->size = level_size(level);
	out->gpa = hatch_gpa_of(gpa.addr & ~(out->size - 1));
	out->hpa = hpa_of_pte(pte);
	out->prot = prot_of_pte(pte);
	out->cow = pte & PTE_COW;
	out->pooled = pte & PTE_POOL;
	return HATCH_OK;
}

int hatch_gstage_lookup(const struct hatch_gstage *stage, hatch_gpa gpa, struct hatch_mapping *out)
{
	int error;

	lock_stage(stage);
	error = hatch_gstage_find(stage, gpa, out);
	unlock_stage(stage);
	return error;
}

uint64_t hatch_gstage_hgatp(const struct hatch_gstage *stage)
{
	hatch_hpa root = stage->memory->physical(stage->memory->arg, stage->root);

	return (uint64_t)stage->mode << HGATP_MODE_SHIFT |
	       (uint64_t)stage->vmid << HGATP_VMID_SHIFT | root.addr >> HATCH_PAGE_SHIFT;
}
