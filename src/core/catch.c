/* SPDX-License-Identifier: MIT */
/*
 * Scopes: which clauses are there, and do they agree. How they are found: seal.c.
 */
#include <string.h>

#include <hatch/catch.h>

void hatch_scope_init(struct hatch_scope *scope, const char *name, struct hatch_scope *outer)
{
	*scope = (struct hatch_scope){ .name = name, .outer = outer };
}

static bool ranges_meet(uint64_t a_first, uint64_t a_last, uint64_t b_first, uint64_t b_last)
{
	return a_first <= b_last && b_first <= a_last;
}

static bool overlap(const struct hatch_catch *a, const struct hatch_catch *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == HATCH_ANY)
		return true;
	/* Two patterns share an encoding unless they differ in a bit that both look at. */
	if (a->kind == HATCH_ILLEGAL)
		return ((a->first ^ b->first) & a->last & b->last) == 0;
	return ranges_meet(a->first, a->last, b->first, b->last) &&
	       ranges_meet(a->function_first, a->function_last, b->function_first,
			   b->function_last);
}

struct hatch_catch *hatch_catch_conflict(const struct hatch_scope *scope,
					 const struct hatch_catch *clause)
{
	for (struct hatch_catch *c = scope->clauses; c; c = c->next)
		if (c != clause && overlap(c, clause))
			return c;
	return NULL;
}

static bool has_every_function(const struct hatch_catch *clause)
{
	return clause->function_first == 0 && clause->function_last == UINT64_MAX;
}

static bool is_well_formed(const struct hatch_catch *clause)
{
	if (!clause->handler || clause->kind > HATCH_ANY || clause->scope)
		return false;
	if (clause->kind == HATCH_ILLEGAL)
		return (clause->first & ~clause->last) == 0 && clause->last <= UINT32_MAX;
	if (clause->first > clause->last || clause->function_first > clause->function_last)
		return false;
	/* Functions belong to one extension: a range of extensions takes all functions. */
	return clause->first == clause->last || has_every_function(clause);
}

int hatch_catch_add(struct hatch_scope *scope, struct hatch_catch *clause)
{
	if (!scope || !clause || !is_well_formed(clause))
		return HATCH_EINVAL;
	if (scope->sealed)
		return HATCH_ESEALED;
	if (hatch_catch_conflict(scope, clause))
		return HATCH_EOVERLAP;
	clause->scope = scope;
	clause->next = scope->clauses;
	scope->clauses = clause;
	scope->built = false;
	return 0;
}

int hatch_catch_remove(struct hatch_scope *scope, struct hatch_catch *clause)
{
	if (scope->sealed)
		return HATCH_ESEALED;
	for (struct hatch_catch **at = &scope->clauses; *at; at = &(*at)->next) {
		if (*at == clause) {
			*at = clause->next;
			clause->scope = NULL;
			scope->built = false;
			return 0;
		}
	}
	return HATCH_ENOENT;
}

int hatch_finally_add(struct hatch_scope *scope, struct hatch_finally *finally)
{
	if (!scope || !finally || !finally->run)
		return HATCH_EINVAL;
	if (scope->sealed)
		return HATCH_ESEALED;
	for (const struct hatch_finally *f = scope->finally; f; f = f->next)
		if (f == finally)
			return HATCH_EINVAL;
	finally->next = scope->finally;
	scope->finally = finally;
	return 0;
}

int hatch_state_add(struct hatch_scope *scope, struct hatch_state *state)
{
	if (!scope || !state || !state->name || !state->save || !state->restore)
		return HATCH_EINVAL;
	if (scope->sealed)
		return HATCH_ESEALED;
	for (const struct hatch_state *s = scope->states; s; s = s->next) {
		if (s == state)
			return HATCH_EINVAL;
		if (!strcmp(s->name, state->name))
			return HATCH_EOVERLAP;
	}
	state->next = scope->states;
	scope->states = state;
	return 0;
}
