/* SPDX-License-Identifier: MIT */
/* The model: which clauses there are, in which order, and which answers make sense. */
#include "model.h"

static bool meets(uint64_t a_first, uint64_t a_last, uint64_t b_first, uint64_t b_last)
{
	return a_first <= b_last && b_first <= a_last;
}

/* Whether some event would be both clauses'. */
static bool overlap(const struct plan_script *a, const struct plan_script *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == HATCH_ILLEGAL) /* `last` is the mask */
		return ((a->first ^ b->first) & a->last & b->last) == 0;
	return meets(a->first, a->last, b->first, b->last) &&
	       meets(a->function_first, a->function_last, b->function_first, b->function_last);
}

bool model_catches(const struct plan_script *c, const struct plan_event *ev)
{
	if (c->kind != ev->kind)
		return false;
	if (c->kind == HATCH_ILLEGAL)
		return (ev->key & c->last) == c->first;
	if (c->kind == HATCH_MMIO) /* all of its bytes */
		return c->first <= ev->key && ev->key + ev->width - 1 <= c->last;
	return c->first <= ev->key && ev->key <= c->last &&
	       (c->kind != HATCH_HYPERCALL ||
		(c->function_first <= ev->function && ev->function <= c->function_last));
}

static bool is_sane(const struct plan_script *c)
{
	if (c->kind == HATCH_ILLEGAL)
		return (c->first & ~c->last) == 0 && c->last <= UINT32_MAX;
	return c->first <= c->last && (c->first == c->last || c->function_first == 0);
}

int model_add(int clause, int scope)
{
	const struct plan_script *c = &model.plan->script[clause];

	if (!is_sane(c) || model.where[clause] != NOWHERE)
		return HATCH_EINVAL;
	if (model.scope[scope].sealed)
		return HATCH_ESEALED;
	for (int i = 0; i < PLAN_CLAUSES; i++)
		if (model.where[i] == scope && overlap(&model.plan->script[i], c))
			return HATCH_EOVERLAP;
	model.where[clause] = scope;
	return 0;
}

int model_remove(int clause, int scope)
{
	if (model.scope[scope].sealed)
		return HATCH_ESEALED;
	if (model.where[clause] != scope)
		return HATCH_ENOENT;
	model.where[clause] = NOWHERE;
	return 0;
}

int model_finally(int final)
{
	int s = model.plan->final_scope[final];

	if (model.scope[s].sealed)
		return HATCH_ESEALED;
	for (int i = 0; i < model.scope[s].finals; i++)
		if (model.scope[s].final[i] == final)
			return HATCH_EINVAL;
	model.scope[s].final[model.scope[s].finals++] = final;
	return 0;
}

int model_state(int scope)
{
	if (model.scope[scope].sealed)
		return HATCH_ESEALED;
	if (model.scope[scope].state)
		return HATCH_EINVAL;
	model.scope[scope].state = true;
	return 0;
}

int model_enter(struct model_try *t, int scope)
{
	if (t->entered || t->suspended || model.scope[scope].sealed)
		return HATCH_ESEALED;
	for (int s = t->innermost; s != NOWHERE; s = model.scope[s].outer)
		if (s == scope)
			return HATCH_EINVAL;
	model.scope[scope].outer = t->innermost;
	t->innermost = scope;
	return 0;
}

int model_leave(struct model_try *t)
{
	if (t->entered || t->suspended)
		return HATCH_ESEALED;
	if (t->innermost == t->own)
		return HATCH_ENOENT;
	t->innermost = model.scope[t->innermost].outer;
	return 0;
}

void model_seal(const struct model_try *t, int by)
{
	for (int s = t->innermost; s != NOWHERE; s = model.scope[s].outer)
		model.scope[s].sealed += by;
}

/* The last added first, the innermost scope first; what lies outside of the try goes on. */
void model_run_finals(const struct model_try *t)
{
	for (int s = t->innermost; s != NOWHERE; s = s == t->own ? NOWHERE : model.scope[s].outer)
		for (int i = model.scope[s].finals - 1; i >= 0; i--)
			model_final(model.scope[s].final[i]);
}

/* Whether the verdict means nothing for the event. */
bool model_is_nonsense(const struct plan_event *ev, int verdict)
{
	bool data = ev->kind == HATCH_MMIO || ev->kind == HATCH_PAGE || ev->kind == HATCH_FAULT;
	bool between = ev->kind == HATCH_INTERRUPT || ev->kind == HATCH_DEADLINE;

	switch (verdict) {
	case HATCH_RESUME: /* nobody knows what a page or a fault would have given */
		return ev->kind == HATCH_PAGE || ev->kind == HATCH_FAULT ||
		       (!between && ev->length == 0) ||
		       (ev->kind == HATCH_ILLEGAL && ev->length != 4);
	case HATCH_SKIP: /* step over what? */
		return ev->length == 0;
	case HATCH_INJECT: /* no instruction is to blame */
		return between;
	case HATCH_THROW: /* what is thrown is a data fault, and throws no other */
		return data || between;
	default:
		return false;
	}
}
