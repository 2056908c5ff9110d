/* SPDX-License-Identifier: MIT */
/* The model: how runs begin and end, and what becomes of captured continuations. */
#include <string.h>

#include "model.h"

struct model model;

/* ---- Transactions: all or nothing ---- */

static void begin(struct model_try *t)
{
	if (!t->transactional || t->open)
		return;
	t->open = true;
	t->was_at = t->at;
	t->was_asked = t->asked;
	t->was_behind = t->behind;
	t->was_found = t->found;
	memcpy(t->was_seen, t->seen, sizeof(t->seen));
}

static void close(struct model_try *t, bool keep)
{
	if (t->open && !keep) {
		t->at = t->was_at;
		t->asked = t->was_asked;
		t->behind = t->was_behind;
		t->found = t->was_found;
		memcpy(t->seen, t->was_seen, sizeof(t->seen));
	}
	t->open = false;
}

/* ---- The ends of a run ---- */

/* Begins a run; or says why not, and then nothing has happened. */
static int enter(struct model_try *t)
{
	int error = t->entered					? HATCH_EBUSY
		    : t->ended || (t->suspended && !t->pending) ? HATCH_ESTALE
								: 0;

	if (error && !t->entered && !t->suspended)
		t->outcome = HATCH_FAILED;
	if (error)
		return t->error = error;
	begin(t);
	t->interrupted = model.current;
	model.current = (int)(t - model.t);
	t->entered = true;
	t->suspended = false;
	t->status = 0;
	t->culprit = NOWHERE;
	model_seal(t, 1);
	return 0;
}

/* The hart goes back to whom it was taken from; or the try was left before those inside it. */
static void vacate(const struct model_try *t)
{
	if (model.current == t - model.t)
		model.current = t->interrupted;
	for (int i = model.current; i != NOWHERE; i = model.t[i].interrupted)
		if (model.t[i].interrupted == t - model.t)
			model.t[i].interrupted = t->interrupted;
}

static void leave(struct model_try *t)
{
	vacate(t);
	t->entered = false;
	t->pending = false;
	t->k.verdict = SHUT;
	t->suspended = t->outcome == HATCH_SUSPENDED;
	if (t->outcome == HATCH_UNCAUGHT)
		t->culprit = NOWHERE;
	model_seal(t, -1);
	if (t->suspended)
		return;
	close(t, t->outcome == HATCH_DONE);
	model_run_finals(t);
}

int model_try_run(struct model_try *t)
{
	if (enter(t))
		return HATCH_FAILED;
	if (model_go_on(t) == LEFT)
		model_end(t, HATCH_UNCAUGHT, 0);
	leave(t);
	return (int)t->outcome;
}

/* Only who has the last event may pull the next one, and the innermost try first. */
static bool is_turn(const struct model_try *t)
{
	return t->pending && model.current == t - model.t;
}

/* Pull form: false when there is no event, mostly because the try is over. */
bool model_try_next(struct model_try *t)
{
	if (t->entered && !is_turn(t)) {
		t->error = HATCH_EBUSY;
		return false;
	}
	if (!t->entered && enter(t))
		return false;
	if (model_go_on(t) == OVER) {
		leave(t);
		return false;
	}
	t->pending = true;
	return true;
}

void model_try_leave(struct model_try *t)
{
	if (!t->entered || !t->pending)
		return;
	if (t->k.verdict == OPEN || !is_turn(t) || model_settle_pending(t) != OVER) {
		model_end(t, HATCH_UNWOUND, 0);
		t->culprit = NOWHERE;
	}
	leave(t);
}

/* ---- Captured continuations ---- */

/* Of all copies of a captured continuation one can be used, once. */
static struct model_try *find(const struct model_captured *captured)
{
	struct model_try *t = captured->t == NOWHERE ? NULL : &model.t[captured->t];

	if (!t || !t->there || !t->suspended || t->pending || captured->serial != t->serial)
		return NULL;
	return t;
}

struct model_try *model_reopen(const struct model_captured *captured)
{
	struct model_try *t = find(captured);

	if (!t)
		return NULL;
	t->serial++;
	t->pending = true;
	t->k.verdict = OPEN;
	return t;
}

int model_drop(const struct model_captured *captured)
{
	struct model_try *t = model_reopen(captured);

	if (!t)
		return HATCH_ESTALE;
	model_fini(t);
	model_run_finals(t);
	return 0;
}

/* The same catch once more: a guest of its own, in the same scopes; no transaction. */
int model_clone(const struct model_captured *captured, struct model_captured *to)
{
	const struct model_try *t = find(captured);
	struct model_try *clone = &model.t[PLAN_TRIES + model.clones];

	if (!t)
		return captured->t == NOWHERE ? HATCH_EINVAL : HATCH_ESTALE;
	*clone = *t;
	clone->transactional = clone->open = false;
	*to = (struct model_captured){ PLAN_TRIES + model.clones++, clone->serial };
	return 0;
}

/* The try has ended; nobody is asked and nothing runs. */
int model_fini(struct model_try *t)
{
	close(t, false);
	t->suspended = t->pending = false;
	t->k.verdict = SHUT;
	t->ended = true;
	return 0;
}
