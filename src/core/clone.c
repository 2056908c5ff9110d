/* SPDX-License-Identifier: MIT */
/* A suspended try, twice. */
#include <string.h>

#include <hatch/clone.h>
#include "state.h"

/* The clone's try: everything as it is, but on a vcpu of its own. The states follow. */
static void copy_try(struct hatch_clone *clone, const struct hatch_try *t)
{
	struct hatch_try *copy = &clone->t;

	*copy = *t;
	hatch_scope_init(&copy->scope, "clone", NULL); /* its own is the original's: copy->own */
	copy->vcpu = &clone->vcpu;
	copy->cont.vcpu = &clone->vcpu;
	if (copy->event.kind == HATCH_HYPERCALL || copy->event.kind == HATCH_SYSCALL)
		copy->event.hypercall.arg = &clone->vcpu.frame.x[10];
	copy->transactional = false;
	copy->checkpoint = NULL;
	copy->image = NULL;
	clone->captured = (struct hatch_captured){ copy, copy->serial };
}

static void copy_vcpu(struct hatch_clone *clone, const struct hatch_vcpu *vcpu)
{
	clone->vcpu = *vcpu;
	clone->vcpu.guest = &clone->guest;
	clone->vcpu.vmid_hart = NULL; /* it has none yet */
	clone->vcpu.hart = NULL;
	clone->vcpu.post = (struct hatch_post){ .full = false };
}

static int copy_states(struct hatch_try *to, struct hatch_try *from)
{
	const struct hatch_memory *memory = from->vcpu->guest->stage.memory;
	int error = hatch_states_keep(from);

	if (error || !from->image)
		return error;
	to->image = memory->alloc(memory->arg, from->image_size, HATCH_PAGE_SIZE);
	if (!to->image)
		return HATCH_ENOMEM;
	to->image_size = from->image_size;
	memcpy(to->image, from->image, from->image_size);
	return 0;
}

int hatch_cont_clone(const struct hatch_captured *captured, struct hatch_clone *clone)
{
	struct hatch_try *t;
	int error;

	if (!captured || !clone || !captured->t)
		return HATCH_EINVAL;
	t = captured->t;
	if (!t->suspended || t->pending || captured->serial != t->serial)
		return HATCH_ESTALE;
	error = hatch_guest_clone(&clone->guest, t->vcpu->guest);
	if (error)
		return error;
	copy_vcpu(clone, t->vcpu);
	copy_try(clone, t);
	error = copy_states(&clone->t, t);
	if (error)
		hatch_guest_fini(&clone->guest);
	return error;
}

int hatch_clone_fini(struct hatch_clone *clone)
{
	struct hatch_try *t = &clone->t;

	if (t->entered)
		return HATCH_EBUSY;
	t->pending = false; /* opened again, but never run */
	if (t->suspended)
		hatch_cont_drop(&(struct hatch_captured){ t, t->serial });
	hatch_try_fini(t);
	hatch_guest_fini(&clone->guest);
	return 0;
}
