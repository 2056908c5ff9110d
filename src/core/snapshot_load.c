/* SPDX-License-Identifier: MIT */
/*
 * From bytes to a suspended try. The bytes are a stranger's: each number is checked before it is
 * used, what they say goes to the guest only, and registers and states change last, once the
 * checksum has told that nothing was damaged.
 */
#include <string.h>

#include <hatch/csr.h>
#include "snapshot.h"
#include "state.h"

_Static_assert(HATCH_GUEST_REGIONS <= 32 && HATCH_SNAPSHOT_STATES <= 32, "a bit each");

int hatch_snapshot_get(struct snapshot_load *load, void *bytes, size_t size)
{
	int error = load->read(load->arg, bytes, size);

	if (!error)
		load->sum = snapshot_sum(load->sum, bytes, size);
	return error;
}

static int get_start(struct snapshot_load *load)
{
	struct snapshot_start start;
	int error = hatch_snapshot_get(load, &start, sizeof(start));

	if (error)
		return error;
	return start.magic == SNAPSHOT_MAGIC && start.version == HATCH_SNAPSHOT_VERSION
		       ? 0
		       : HATCH_EFORMAT;
}

int hatch_snapshot_get_fixed(struct snapshot_load *load, const struct snapshot_section *section,
			     void *to, size_t size, bool exact)
{
	if (exact && section->version != 1)
		return HATCH_EFORMAT;
	if (section->size < size || (exact && section->size != size))
		return HATCH_EFORMAT;
	return hatch_snapshot_get(load, to, size);
}

static int get_cpu(struct snapshot_load *load, const struct snapshot_section *section)
{
	int error = hatch_snapshot_get_fixed(load, section, &load->cpu, sizeof(load->cpu), true);

	if (error)
		return error;
	if (load->cpu.hart_id != load->t->vcpu->hart_id)
		return HATCH_EFORMAT;
	return load->cpu.henvcfg & ~load->t->vcpu->henvcfg ? HATCH_ENOTSUP : 0;
}

static int get_event(struct snapshot_load *load, const struct snapshot_section *section)
{
	struct snapshot_event event;
	int error = hatch_snapshot_get_fixed(load, section, &event, sizeof(event), true);

	load->tval = event.tval;
	return error ? error : hatch_snapshot_unpack(&load->event, &event, load->t->vcpu);
}

/* ---- States ---- */

/* The state of that name, and where its bytes belong. */
static const struct hatch_state *find_state(const struct snapshot_load *load, const char *name,
					    size_t *offset, unsigned int *number)
{
	*offset = *number = 0;
	for (const struct hatch_scope *s = load->t->innermost; s; s = s->outer)
		for (const struct hatch_state *state = s->states; state; state = state->next) {
			bool seen = load->state_seen >> *number & 1;

			if (!strcmp(state->name, name) && !seen)
				return state;
			*offset += hatch_state_room(state);
			if (++*number == HATCH_SNAPSHOT_STATES)
				return NULL;
		}
	return NULL;
}

static int get_state(struct snapshot_load *load, const struct snapshot_section *section)
{
	struct snapshot_state header;
	const struct hatch_state *state;
	unsigned int number;
	size_t offset;
	int error = hatch_snapshot_get_fixed(load, section, &header, sizeof(header), false);

	if (error)
		return error;
	header.name[SNAPSHOT_NAME - 1] = '\0';
	state = find_state(load, header.name, &offset, &number);
	if (!state || state->version != section->version || state->size != header.size ||
	    section->size != sizeof(header) + hatch_state_room(state))
		return HATCH_EFORMAT;
	load->state_seen |= UINT32_C(1) << number;
	load->states_seen++;
	return hatch_snapshot_get(load, load->states + offset, hatch_state_room(state));
}

static unsigned int count_states(const struct hatch_try *t)
{
	unsigned int count = 0;

	for (const struct hatch_scope *s = t->innermost; s; s = s->outer)
		for (const struct hatch_state *state = s->states; state; state = state->next)
			count++;
	return count;
}

/* ---- The end ---- */

static int get_end(struct snapshot_load *load, const struct snapshot_section *section)
{
	uint64_t sum = load->sum, saved;
	int error = hatch_snapshot_get_fixed(load, section, &saved, sizeof(saved), true);

	if (error)
		return error;
	if (saved != sum || load->states_seen != count_states(load->t))
		return HATCH_EFORMAT;
	return load->regions_seen == (UINT32_C(1) << load->guest->regions) - 1 ? 0 : HATCH_EFORMAT;
}

static int get_section(struct snapshot_load *load, const struct snapshot_section *section)
{
	switch (section->kind) {
	case SNAPSHOT_CPU:
		return get_cpu(load, section);
	case SNAPSHOT_EVENT:
		return get_event(load, section);
	case SNAPSHOT_REGION:
		return hatch_snapshot_get_region(load, section);
	case SNAPSHOT_STATE:
		return get_state(load, section);
	case SNAPSHOT_PAGES:
		return hatch_snapshot_get_pages(load, section);
	default:
		return HATCH_EFORMAT;
	}
}

/* Sections come in the order of their kinds; of the first two there is one each. */
static bool is_next(uint32_t kind, uint32_t last)
{
	if (kind == SNAPSHOT_CPU)
		return last == 0;
	if (kind == SNAPSHOT_EVENT)
		return last == SNAPSHOT_CPU;
	return last >= SNAPSHOT_EVENT && kind >= last;
}

static int get_sections(struct snapshot_load *load)
{
	struct snapshot_section section;
	uint32_t last = 0;

	for (;; last = section.kind) {
		uint64_t sum = load->sum;
		int error = hatch_snapshot_get(load, &section, sizeof(section));

		if (error)
			return error;
		if (!is_next(section.kind, last))
			return HATCH_EFORMAT;
		if (section.kind == SNAPSHOT_END) {
			load->sum = sum; /* of everything before */
			return get_end(load, &section);
		}
		error = get_section(load, &section);
		if (error)
			return error;
	}
}

static void set_registers(const struct snapshot_cpu *cpu, struct hatch_vcpu *vcpu)
{
	uint64_t host_time = hatch_vcpu_time(vcpu) - vcpu->confine.htimedelta;

	memcpy(vcpu->frame.x, cpu->x, sizeof(cpu->x));
	memcpy(vcpu->fp, cpu->f, sizeof(cpu->f));
	vcpu->frame.x[0] = 0;
	vcpu->frame.pc = cpu->pc;
	vcpu->frame.sstatus = (cpu->sstatus & SSTATUS_SPP) | SSTATUS_UXL_64;
	vcpu->fcsr = cpu->fcsr & 0xff;
	vcpu->vs = (struct hatch_vs_csrs){
		.vsstatus = cpu->vsstatus,
		.vsie = cpu->vsie,
		.vstvec = cpu->vstvec,
		.vsscratch = cpu->vsscratch,
		.vsepc = cpu->vsepc,
		.vscause = cpu->vscause,
		.vstval = cpu->vstval,
		.vsatp = cpu->vsatp,
		.vstimecmp = cpu->vstimecmp,
		.scounteren = cpu->scounteren,
		.senvcfg = cpu->senvcfg,
	};
	vcpu->hvip = cpu->hvip & (HVIP_VSSIP | HVIP_VSTIP | HVIP_VSEIP);
	vcpu->fp_live = false;
	vcpu->full = true;
	vcpu->confine.htimedelta = cpu->time - host_time;
}

/* Registers, then states, as for a clone; all or nothing. One that is not alone was never saved. */
static int apply(struct snapshot_load *load)
{
	struct hatch_vcpu *vcpu = load->t->vcpu, before = *vcpu;
	uint8_t *old = load->states + load->states_size;
	int error;

	hatch_states_save(load->t, old);
	set_registers(&load->cpu, vcpu);
	error = hatch_states_restore(load->t, load->states);
	if (!error && !hatch_states_are_alone(load->t))
		error = HATCH_EFORMAT;
	if (error) {
		*vcpu = before;
		hatch_states_restore(load->t, old);
	}
	return error;
}

static void suspend(struct snapshot_load *load, struct hatch_captured *captured)
{
	struct hatch_try *t = load->t;

	t->event = load->event;
	t->cont.tval = load->tval;
	t->suspended = true;
	t->outcome = HATCH_SUSPENDED;
	*captured = (struct hatch_captured){ t, t->serial };
}

/* The program in the new memory, not what the hart remembers. */
static void fence(struct hatch_guest *guest)
{
	for (unsigned int i = 0; i < guest->regions; i++)
		if (guest->stage.fence)
			guest->stage.fence(&guest->stage, guest->region[i].base,
					   guest->region[i].size);
}

static bool is_new(const struct hatch_try *t)
{
	return !t->entered && !t->ended && !t->suspended && !t->vcpu->running && !t->vcpu->live;
}

int hatch_snapshot_load(struct hatch_try *t, hatch_snapshot_read *read, void *arg,
			struct hatch_captured *captured)
{
	struct snapshot_load load = { .t = t, .read = read, .arg = arg };
	const struct hatch_memory *memory;
	size_t room;
	int error;

	if (!t || !read || !captured || !is_new(t))
		return HATCH_EINVAL;
	load.guest = t->vcpu->guest;
	load.states_size = hatch_states_size(t);
	memory = load.guest->stage.memory;
	room = 2 * load.states_size + 8;
	load.states = memory->alloc(memory->arg, room, HATCH_PAGE_SIZE);
	if (!load.states)
		return HATCH_ENOMEM;
	error = get_start(&load);
	if (!error)
		error = get_sections(&load);
	if (!error)
		error = apply(&load);
	memory->free(memory->arg, load.states, room);
	if (error)
		return error;
	fence(load.guest);
	suspend(&load, captured);
	return 0;
}
