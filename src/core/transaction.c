/* SPDX-License-Identifier: MIT */
/*
 * A try that leaves no trace: its guest's memory is put back by exchanging pages (guest_undo.c),
 * registers and states by copies that were made when the run began.
 */
#include <string.h>

#include "state.h"

struct hatch_checkpoint {
	struct hatch_vcpu vcpu;
	size_t states_size; /* bytes */
	_Alignas(8) uint8_t states[];
};

static size_t size_of(size_t states_size)
{
	return sizeof(struct hatch_checkpoint) + states_size;
}

int hatch_transaction_begin(struct hatch_try *t)
{
	const struct hatch_memory *memory = t->vcpu->guest->stage.memory;
	size_t size = hatch_states_size(t);
	struct hatch_checkpoint *checkpoint;
	int error;

	if (!t->transactional || t->checkpoint)
		return 0;
	checkpoint = memory->alloc(memory->arg, size_of(size), HATCH_PAGE_SIZE);
	if (!checkpoint)
		return HATCH_ENOMEM;
	error = hatch_guest_begin(t->vcpu->guest);
	if (error) {
		memory->free(memory->arg, checkpoint, size_of(size));
		return error;
	}
	checkpoint->states_size = size;
	hatch_vcpu_copy(&checkpoint->vcpu, t->vcpu);
	hatch_states_save(t, checkpoint->states);
	t->checkpoint = checkpoint;
	return 0;
}

/* The event stays readable: its arguments are in the registers, which are put back. */
static void keep_arguments(struct hatch_try *t)
{
	if (t->event.kind != HATCH_HYPERCALL && t->event.kind != HATCH_SYSCALL)
		return;
	memcpy(t->args, &t->vcpu->frame.x[10], sizeof(t->args));
	t->event.hypercall.arg = t->args;
}

void hatch_transaction_end(struct hatch_try *t, bool keep)
{
	const struct hatch_memory *memory = t->vcpu->guest->stage.memory;
	struct hatch_checkpoint *checkpoint = t->checkpoint;

	if (!checkpoint)
		return;
	if (keep) {
		hatch_guest_commit(t->vcpu->guest);
	} else {
		hatch_states_stop(t);
		hatch_guest_rollback(t->vcpu->guest);
		keep_arguments(t);
		hatch_vcpu_copy(t->vcpu, &checkpoint->vcpu);
		hatch_states_restore(t, checkpoint->states);
	}
	t->checkpoint = NULL;
	memory->free(memory->arg, checkpoint, size_of(checkpoint->states_size));
}
