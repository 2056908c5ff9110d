/* SPDX-License-Identifier: MIT */
#include <hatch/handlers/demand.h>

#define LARGE_PIECE ((uint64_t)2 << 20)

static hatch_gpa piece_of(const struct hatch_demand *demand, hatch_gpa gpa)
{
	return hatch_gpa_of(gpa.addr & ~(demand->piece - 1));
}

/* Gives the guest one more piece. Errors: HATCH_ENOMEM. */
static int populate(struct hatch_demand *demand, hatch_gpa at)
{
	const struct hatch_memory *memory = demand->guest->stage.memory;
	void *page = NULL;
	int error = HATCH_ENOMEM;

	if (demand->piece <= demand->limit - demand->used)
		page = memory->alloc(memory->arg, demand->piece, demand->piece);
	if (page)
		error = hatch_gstage_map(&demand->guest->stage, at,
					 memory->physical(memory->arg, page), demand->piece,
					 HATCH_PROT_ALL);
	if (page && error)
		memory->free(memory->arg, page, demand->piece);
	if (!error)
		demand->used += demand->piece;
	return error;
}

static enum hatch_verdict on_touch(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_demand *demand = arg;
	struct hatch_mapping mapping;
	int error;

	/* The page is there: what is missing is a right, and that was somebody's intention. */
	if (!hatch_gstage_lookup(&demand->guest->stage, ev->page.gpa, &mapping))
		return HATCH_PASS;
	error = populate(demand, piece_of(demand, ev->page.gpa));
	return error ? hatch_unwind(k, error) : hatch_retry(k);
}

int hatch_demand_init(struct hatch_demand *demand, struct hatch_guest *guest, hatch_gpa base,
		      uint64_t size, uint64_t piece, uint64_t limit)
{
	if (piece != HATCH_PAGE_SIZE && piece != LARGE_PIECE)
		return HATCH_EINVAL;
	if ((base.addr | size) & (piece - 1))
		return HATCH_EINVAL;
	*demand = (struct hatch_demand){
		.guest = guest,
		.base = base,
		.size = size,
		.piece = piece,
		.limit = limit,
	};
	demand->clause = HATCH_ON_PAGE(base.addr, size, on_touch, demand);
	demand->clause.may = HATCH_MAY(HATCH_PASS) | HATCH_MAY(HATCH_RETRY) |
			     HATCH_MAY(HATCH_UNWIND);
	demand->clause.name = "demand";
	return hatch_guest_add_lazy(guest, base, size);
}

void hatch_demand_fini(struct hatch_demand *demand)
{
	const struct hatch_memory *memory = demand->guest->stage.memory;

	for (uint64_t at = 0; at < demand->size && demand->used; at += demand->piece) {
		hatch_gpa gpa = hatch_gpa_of(demand->base.addr + at);
		struct hatch_mapping mapping;

		if (hatch_gstage_lookup(&demand->guest->stage, gpa, &mapping))
			continue;
		hatch_gstage_unmap(&demand->guest->stage, gpa, demand->piece);
		memory->free(memory->arg,
			     memory->pointer(memory->arg, hatch_hpa_of(mapping.hpa.addr + gpa.addr -
								       mapping.gpa.addr)),
			     demand->piece);
		demand->used -= demand->piece;
	}
}
