/* SPDX-License-Identifier: MIT */
#include <hatch/handlers/demand.h>

#define LARGE_PIECE ((uint64_t)2 << 20)

/*
 * A page of the record. The tables cannot tell which pages were given: in a guest that shares
 * memory a look-up may find a copy, and a clone's tables are gone before the page is.
 */
struct hatch_demand_record {
	struct hatch_demand_record *next;
	uint64_t count;
	struct {
		void *page;
		hatch_gpa at; /* where it is mapped in the guest; ELSEWHERE: in a clone */
	} piece[255];
};

#define ELSEWHERE UINT64_MAX

_Static_assert(sizeof(struct hatch_demand_record) == HATCH_PAGE_SIZE, "a page of the record");

static hatch_gpa piece_of(const struct hatch_demand *demand, hatch_gpa gpa)
{
	return hatch_gpa_of(gpa.addr & ~(demand->piece - 1));
}

/* Makes room for one more piece in the record. Errors: HATCH_ENOMEM. */
static int make_room(struct hatch_demand *demand)
{
	const struct hatch_memory *memory = demand->guest->stage.memory;
	struct hatch_demand_record *record = demand->record;

	if (record && record->count < sizeof(record->piece) / sizeof(record->piece[0]))
		return HATCH_OK;
	record = memory->alloc(memory->arg, sizeof(*record), HATCH_PAGE_SIZE);
	if (!record)
		return HATCH_ENOMEM;
	record->next = demand->record;
	demand->record = record;
	return HATCH_OK;
}

/* Room that was made for nothing. */
static void drop_room(struct hatch_demand *demand)
{
	const struct hatch_memory *memory = demand->guest->stage.memory;
	struct hatch_demand_record *record = demand->record;

	if (record->count)
		return;
	demand->record = record->next;
	memory->free(memory->arg, record, sizeof(*record));
}

/* Maps a new page. Errors: HATCH_ENOMEM, or what another one's mapping there leads to. */
static int map_page(struct hatch_demand *demand, struct hatch_guest *guest, hatch_gpa at)
{
	const struct hatch_memory *memory = demand->guest->stage.memory;
	struct hatch_demand_record *record = demand->record;
	void *page = memory->alloc(memory->arg, demand->piece, demand->piece);
	int error;

	if (!page)
		return HATCH_ENOMEM;
	error = hatch_gstage_map(&guest->stage, at, memory->physical(memory->arg, page),
				 demand->piece, HATCH_PROT_ALL);
	if (error) {
		memory->free(memory->arg, page, demand->piece);
		return error;
	}
	record->piece[record->count].page = page;
	record->piece[record->count].at = guest == demand->guest ? at : hatch_gpa_of(ELSEWHERE);
	record->count++;
	demand->used += demand->piece;
	return HATCH_OK;
}

/* Gives the guest, or a clone of it, one more piece. Errors: those of map_page. */
static int populate(struct hatch_demand *demand, struct hatch_guest *guest, hatch_gpa at)
{
	int error;

	if (demand->piece > demand->limit - demand->used || make_room(demand))
		return HATCH_ENOMEM;
	error = map_page(demand, guest, at);
	if (error)
		drop_room(demand);
	return error;
}

/*
 * A page that is there has come from another hart a moment ago; or a right is missing, and that
 * was somebody's intention.
 */
static enum hatch_verdict touch(struct hatch_demand *demand, hatch_gpa gpa, struct hatch_cont *k)
{
	struct hatch_guest *guest = k->vcpu->guest;
	struct hatch_mapping mapping;
	int error;

	if (!hatch_gstage_lookup(&guest->stage, gpa, &mapping))
		return mapping.prot == HATCH_PROT_ALL ? hatch_retry(k) : HATCH_PASS;
	error = populate(demand, guest, piece_of(demand, gpa));
	return error ? hatch_unwind(k, error) : hatch_retry(k);
}

static enum hatch_verdict on_touch(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_demand *demand = arg;
	enum hatch_verdict verdict;

	hatch_lock_acquire(&demand->lock);
	verdict = touch(demand, ev->page.gpa, k);
	hatch_lock_release(&demand->lock);
	return verdict;
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
	struct hatch_demand_record *record;

	while ((record = demand->record)) {
		for (uint64_t i = 0; i < record->count; i++) {
			if (record->piece[i].at.addr != ELSEWHERE)
				hatch_gstage_unmap(&demand->guest->stage, record->piece[i].at,
						   demand->piece);
			memory->free(memory->arg, record->piece[i].page, demand->piece);
		}
		demand->record = record->next;
		memory->free(memory->arg, record, sizeof(*record));
	}
	demand->used = 0;
}
