/* SPDX-License-Identifier: MIT */
/* From a suspended try to bytes. */
#include <string.h>

#include <hatch/csr.h>
#include "snapshot.h"
#include "state.h"

struct save {
	const struct hatch_try *t;
	struct hatch_guest *guest;
	hatch_snapshot_write *write;
	void *arg;
	uint64_t sum;
};

static int put(struct save *save, const void *bytes, size_t size)
{
	save->sum = snapshot_sum(save->sum, bytes, size);
	return save->write(save->arg, bytes, size);
}

/* A section's header and the part of fixed size; `more` bytes are still to follow. */
static int put_section(struct save *save, enum snapshot_kind kind, uint32_t version,
		       const void *bytes, size_t size, uint64_t more)
{
	const struct snapshot_section section = { kind, version, size + more };
	int error = put(save, &section, sizeof(section));

	return error ? error : put(save, bytes, size);
}

static int put_start(struct save *save)
{
	const struct snapshot_start start = { SNAPSHOT_MAGIC, HATCH_SNAPSHOT_VERSION, 0 };

	return put(save, &start, sizeof(start));
}

static int put_cpu(struct save *save)
{
	const struct hatch_vcpu *vcpu = save->t->vcpu;
	const struct hatch_vs_csrs *vs = &vcpu->vs;
	struct snapshot_cpu cpu = {
		.pc = vcpu->frame.pc,
		.sstatus = vcpu->frame.sstatus & (SSTATUS_SPP | SSTATUS_UXL_64),
		.fcsr = vcpu->fcsr,
		.vsstatus = vs->vsstatus,
		.vsie = vs->vsie,
		.vstvec = vs->vstvec,
		.vsscratch = vs->vsscratch,
		.vsepc = vs->vsepc,
		.vscause = vs->vscause,
		.vstval = vs->vstval,
		.vsatp = vs->vsatp,
		.vstimecmp = vs->vstimecmp,
		.scounteren = vs->scounteren,
		.senvcfg = vs->senvcfg,
		.hvip = vcpu->hvip,
		.hart_id = vcpu->hart_id,
		.henvcfg = vcpu->confine.henvcfg,
		.time = hatch_vcpu_time(vcpu),
	};

	memcpy(cpu.x, vcpu->frame.x, sizeof(cpu.x));
	memcpy(cpu.f, vcpu->fp, sizeof(cpu.f));
	return put_section(save, SNAPSHOT_CPU, 1, &cpu, sizeof(cpu), 0);
}

static int put_event(struct save *save)
{
	struct snapshot_event event;

	hatch_snapshot_pack(&event, &save->t->event, save->t->cont.tval);
	return put_section(save, SNAPSHOT_EVENT, 1, &event, sizeof(event), 0);
}

static int put_regions(struct save *save)
{
	int error = 0;

	for (unsigned int i = 0; i < save->guest->regions && !error; i++) {
		const struct hatch_region *r = &save->guest->region[i];
		const struct snapshot_region region = { r->base.addr, r->size,
							r->host && !r->owned };

		error = put_section(save, SNAPSHOT_REGION, 1, &region, sizeof(region), 0);
	}
	return error;
}

/* ---- States ---- */

static int put_state(struct save *save, const struct hatch_state *state, const uint8_t *bytes)
{
	struct snapshot_state header = { .size = state->size };
	size_t room = hatch_state_room(state);
	int error;

	strncpy(header.name, state->name, SNAPSHOT_NAME - 1);
	error = put_section(save, SNAPSHOT_STATE, state->version, &header, sizeof(header), room);
	return error ? error : put(save, bytes, room);
}

static int put_states(struct save *save, const uint8_t *bytes)
{
	unsigned int count = 0;

	for (const struct hatch_scope *s = save->t->innermost; s; s = s->outer)
		for (const struct hatch_state *state = s->states; state; state = state->next) {
			int error = HATCH_E2BIG;

			if (strlen(state->name) < SNAPSHOT_NAME && count++ < HATCH_SNAPSHOT_STATES)
				error = put_state(save, state, bytes);
			if (error)
				return error;
			bytes += hatch_state_room(state);
		}
	return 0;
}

/* The states are those that the try's own last run left: see clone.h. */
static int save_states(struct save *save)
{
	const struct hatch_memory *memory = save->guest->stage.memory;
	size_t size = hatch_states_size(save->t);
	uint8_t *bytes;
	int error;

	if (!size || save->t->image)
		return put_states(save, save->t->image);
	bytes = memory->alloc(memory->arg, size, HATCH_PAGE_SIZE);
	if (!bytes)
		return HATCH_ENOMEM;
	hatch_states_save(save->t, bytes);
	error = put_states(save, bytes);
	memory->free(memory->arg, bytes, size);
	return error;
}

/* ---- Memory ---- */

static bool is_zero(const uint64_t *word)
{
	for (unsigned int i = 0; i < HATCH_PAGE_SIZE / 8; i++)
		if (word[i])
			return false;
	return true;
}

static const void *page_at(struct save *save, uint64_t gpa, unsigned int *prot)
{
	size_t size = HATCH_PAGE_SIZE;
	struct hatch_mapping m;

	if (hatch_gstage_lookup(&save->guest->stage, hatch_gpa_of(gpa), &m)) {
		*prot = HATCH_PROT_NONE;
		return NULL;
	}
	*prot = m.prot;
	return hatch_guest_pointer(save->guest, hatch_gpa_of(gpa), &size, HATCH_PROT_NONE);
}

/* A page that is as a new region has it needs no mention. */
static bool is_plain(const void *page, unsigned int prot)
{
	return prot == HATCH_PROT_ALL && is_zero(page);
}

/* How many pages from gpa on go into one section; 0: the first needs none. */
static uint64_t count_pages(struct save *save, uint64_t gpa, uint64_t end, unsigned int *prot)
{
	uint64_t count = 0;
	unsigned int next;
	const void *page = page_at(save, gpa, prot);

	if (is_plain(page, *prot))
		return 0;
	do {
		count++;
		gpa += HATCH_PAGE_SIZE;
		if (gpa == end)
			break;
		page = page_at(save, gpa, &next);
	} while (next == *prot && !is_plain(page, next));
	return count;
}

static int put_pages(struct save *save, uint64_t gpa, uint64_t count, unsigned int prot)
{
	const struct snapshot_pages pages = { gpa, count, prot };
	uint64_t bytes = prot ? count * HATCH_PAGE_SIZE : 0;
	int error = put_section(save, SNAPSHOT_PAGES, 1, &pages, sizeof(pages), bytes);

	for (uint64_t i = 0; prot && i < count && !error; i++)
		error = put(save, page_at(save, gpa + i * HATCH_PAGE_SIZE, &prot), HATCH_PAGE_SIZE);
	return error;
}

static bool has_pages(const struct save *save, const struct hatch_region *r)
{
	struct hatch_mapping m;

	for (uint64_t at = 0; at < r->size; at += HATCH_PAGE_SIZE)
		if (!hatch_gstage_lookup(&save->guest->stage, hatch_gpa_of(r->base.addr + at), &m))
			return true;
	return false;
}

static int put_region(struct save *save, const struct hatch_region *r)
{
	uint64_t gpa = r->base.addr, end = gpa + r->size;
	int error = 0;

	if (!r->host)
		return has_pages(save, r) ? HATCH_ENOTSUP : 0;
	if (!r->owned)
		return 0;
	while (gpa < end && !error) {
		unsigned int prot;
		uint64_t count = count_pages(save, gpa, end, &prot);

		if (count)
			error = put_pages(save, gpa, count, prot);
		gpa += (count ? count : 1) * HATCH_PAGE_SIZE;
	}
	return error;
}

static int put_memory(struct save *save)
{
	int error = 0;

	for (unsigned int i = 0; i < save->guest->regions && !error; i++)
		error = put_region(save, &save->guest->region[i]);
	return error;
}

static int put_end(struct save *save)
{
	uint64_t sum = save->sum;

	return put_section(save, SNAPSHOT_END, 1, &sum, sizeof(sum), 0);
}

int hatch_snapshot_save(const struct hatch_captured *captured, hatch_snapshot_write *write,
			void *arg)
{
	struct save save = { .write = write, .arg = arg };
	const struct hatch_try *t;
	int error;

	if (!captured || !captured->t || !write)
		return HATCH_EINVAL;
	t = captured->t;
	if (!t->suspended || t->pending || captured->serial != t->serial)
		return HATCH_ESTALE;
	if (t->checkpoint || !hatch_states_are_alone(t))
		return HATCH_EBUSY;
	save.t = t;
	save.guest = t->vcpu->guest;
	error = put_start(&save);
	if (!error)
		error = put_cpu(&save);
	if (!error)
		error = put_event(&save);
	if (!error)
		error = put_regions(&save);
	if (!error)
		error = save_states(&save);
	if (!error)
		error = put_memory(&save);
	return error ? error : put_end(&save);
}
