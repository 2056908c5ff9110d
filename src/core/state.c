/* SPDX-License-Identifier: MIT */
/* What clauses know of their guest, as bytes. */
#include <string.h>

#include "state.h"

size_t hatch_states_size(const struct hatch_try *t)
{
	size_t size = 0;

	for (const struct hatch_scope *s = t->innermost; s; s = s->outer)
		for (const struct hatch_state *state = s->states; state; state = state->next)
			size += hatch_state_room(state);
	return size;
}

void hatch_states_save(const struct hatch_try *t, void *to)
{
	uint8_t *at = to;

	for (const struct hatch_scope *s = t->innermost; s; s = s->outer)
		for (const struct hatch_state *state = s->states; state; state = state->next) {
			state->save(state->arg, at);
			at += hatch_state_room(state);
		}
}

int hatch_states_restore(const struct hatch_try *t, const void *from)
{
	const uint8_t *at = from;
	int error;

	for (const struct hatch_scope *s = t->innermost; s; s = s->outer)
		for (const struct hatch_state *state = s->states; state; state = state->next) {
			error = state->restore(state->arg, at, t->vcpu);
			if (error)
				return error;
			at += hatch_state_room(state);
		}
	return 0;
}

void hatch_states_stop(const struct hatch_try *t)
{
	for (const struct hatch_scope *s = t->innermost; s; s = s->outer)
		for (const struct hatch_state *state = s->states; state; state = state->next)
			if (state->stop)
				state->stop(state->arg);
}

bool hatch_states_are_alone(const struct hatch_try *t)
{
	for (const struct hatch_scope *s = t->innermost; s; s = s->outer)
		for (const struct hatch_state *state = s->states; state; state = state->next)
			if (state->is_alone && !state->is_alone(state->arg, t->vcpu))
				return false;
	return true;
}

int hatch_states_unpark(struct hatch_try *t)
{
	if (!t->image)
		return 0;
	if (t->image_size != hatch_states_size(t))
		return HATCH_EINVAL; /* states were added meanwhile: nobody knows their values */
	return hatch_states_restore(t, t->image);
}

void hatch_states_park(struct hatch_try *t)
{
	if (t->image && t->image_size == hatch_states_size(t))
		hatch_states_save(t, t->image);
}

int hatch_states_keep(struct hatch_try *t)
{
	const struct hatch_memory *memory = t->vcpu->guest->stage.memory;
	size_t size = hatch_states_size(t);

	if (t->image || !size)
		return 0;
	t->image = memory->alloc(memory->arg, size, HATCH_PAGE_SIZE);
	if (!t->image)
		return HATCH_ENOMEM;
	t->image_size = size;
	hatch_states_save(t, t->image);
	return 0;
}

void hatch_states_forget(struct hatch_try *t)
{
	const struct hatch_memory *memory = t->vcpu->guest->stage.memory;

	if (t->image)
		memory->free(memory->arg, t->image, t->image_size);
	t->image = NULL;
}
