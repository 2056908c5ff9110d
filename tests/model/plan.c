/* SPDX-License-Identifier: MIT */
/* Makes a plan out of a seed. */
#include <string.h>

#include "plan_random.h"

/* ---- Clauses ---- */

/* Makes the keys so that the clause takes this event, and perhaps others. */
static void make_keys(struct plan_script *c, const struct plan_event *ev)
{
	static const uint32_t masks[] = { UINT32_MAX, 0xfe00707f, 0x707f, 0x7f, 0xffff, 0 };
	static const uint64_t sizes[] = { 1, 4, 6, 8, 16, 64, 4096 };

	c->kind = ev->kind;
	c->first = c->last = ev->key;
	c->function_last = UINT64_MAX;
	switch (ev->kind) {
	case HATCH_HYPERCALL:
		if (plan_one_in(3))
			c->function_first = c->function_last = ev->function;
		else if (plan_one_in(3))
			c->last += (uint64_t)plan_below(3);
		break;
	case HATCH_MMIO:
	case HATCH_PAGE:
		c->first -= (uint64_t)plan_below(3) * 4;
		c->last = c->first + sizes[plan_below(7)] - 1;
		break;
	case HATCH_ILLEGAL:
		c->last = masks[plan_below(6)];
		c->first &= c->last;
		break;
	case HATCH_FAULT:
		c->first = plan_one_in(2) ? 0 : 5 + 8 * (uint64_t)plan_below(2);
		c->last = c->first + (uint64_t)plan_below(24);
		break;
	case HATCH_SYSCALL:
	case HATCH_CSR:
	case HATCH_INTERRUPT:
		c->last += plan_one_in(2) ? (uint64_t)plan_below(4) : 0;
		break;
	default:
		c->first = c->last = 0;
	}
}

static const enum plan_say says[] = {
	SAY_RESUME,  SAY_RESUME,  SAY_RESUME,  SAY_RESUME, SAY_RESUME, SAY_RESUME, SAY_RESUME,
	SAY_RESUME,  SAY_RESUME,  SAY_PAIR,    SAY_PAIR,   SAY_PASS,   SAY_PASS,   SAY_PASS,
	SAY_PASS,    SAY_SKIP,	  SAY_SKIP,    SAY_SKIP,   SAY_RETRY,  SAY_RETRY,  SAY_INJECT,
	SAY_INJECT,  SAY_THROW,	  SAY_THROW,   SAY_UNWIND, SAY_UNWIND, SAY_FINISH, SAY_SECOND,
	SAY_CAPTURE, SAY_CAPTURE, SAY_CAPTURE,
};

/* Mostly what makes sense for that kind of event. */
static enum plan_say make_say(enum hatch_kind kind, const struct plan_limits *limits)
{
	enum plan_say say = says[plan_below((int)(sizeof(says) / sizeof(says[0])))];

	if ((kind == HATCH_PAGE || kind == HATCH_FAULT) && say == SAY_RESUME && !plan_one_in(12))
		say = SAY_SKIP;
	if ((kind == HATCH_MMIO || kind == HATCH_PAGE || kind == HATCH_FAULT) && say == SAY_THROW &&
	    !plan_one_in(4))
		say = SAY_INJECT;
	if (plan_one_in(60))
		say = SAY_SECOND + (enum plan_say)plan_below(SAYS - SAY_SECOND);
	return say == SAY_CAPTURE && !limits->capture ? SAY_RESUME : say;
}

static void make_item(struct plan_item *item, enum hatch_kind kind,
		      const struct plan_limits *limits)
{
	static const uint64_t injected[] = { 2, 5, 7, 13 };
	static const uint64_t thrown[] = {
		CAUSE_LOAD_ACCESS,	CAUSE_STORE_ACCESS,	     CAUSE_LOAD_PAGE_FAULT,
		CAUSE_STORE_PAGE_FAULT, CAUSE_LOAD_GUEST_PAGE_FAULT, CAUSE_STORE_GUEST_PAGE_FAULT
	};
	static const uint64_t places[] = { PLAN_DEVICE, PLAN_LAZY, PLAN_LAZY + 4097, PLAN_RAM + 8 };

	*item = (struct plan_item){ .say = make_say(kind, limits), .slot = plan_below(PLAN_SLOTS) };
	item->value = plan_value();
	item->second = plan_value();
	if (item->say == SAY_INJECT)
		item->value = injected[plan_below(4)];
	if (item->say == SAY_THROW) {
		item->value = thrown[plan_below(6)];
		/* A store into RAM that is shared would be mended, not thrown. */
		item->second =
			places[plan_below(item->value == CAUSE_STORE_GUEST_PAGE_FAULT ? 3 : 4)];
	}
}

static void make_script(struct plan *plan, struct plan_script *c, const struct plan_limits *limits)
{
	int guest = plan_below(plan->tries), items = 1 + plan_below(PLAN_ITEMS);
	int event = plan_one_in(5) ? PLAN_EVENTS - 1 : plan_below(PLAN_EVENTS - 1);

	*c = (struct plan_script){ .may = HATCH_MAY_ALL, .registers = plan_one_in(6) };
	make_keys(c, &plan->event[guest][plan_next(plan, guest, event)]);
	if (plan_one_in(4)) {
		c->kind = HATCH_ANY;
		items = PLAN_ITEMS;
		c->first = 0;
		c->last = c->function_last = UINT64_MAX;
	}
	if (plan_one_in(12))
		c->may &= ~HATCH_MAY(1 + plan_below(HATCH_REFUSED - 1));
	if (plan_one_in(40)) { /* makes no sense: refused */
		uint64_t first = c->first;

		c->first = c->last + 1;
		c->last = first;
	}
	for (int i = 0; i < PLAN_ITEMS; i++) {
		make_item(&c->item[i], c->kind, limits);
		c->item[i].off = i >= items;
	}
}

/* ---- What the host does ---- */

static struct plan_op *add_op(struct plan *plan, enum plan_do what, int a, int b)
{
	struct plan_op *op = &plan->op[plan->ops++];

	*op = (struct plan_op){ .what = what, .a = a, .b = b, .value = plan_value() };
	return op;
}

static int instance(const struct plan *plan, const struct plan_limits *limits)
{
	return limits->clone && plan_one_in(4) ? PLAN_TRIES + plan_below(PLAN_CLONES)
					       : plan_below(plan->tries);
}

static int extra_scope(void)
{
	return PLAN_TRIES + plan_below(PLAN_SCOPES - PLAN_TRIES);
}

/* A scope is entered in one try only: entered elsewhere, it would take its own scopes along. */
static void make_enter(struct plan *plan, int s)
{
	add_op(plan, DO_ENTER, s % plan->tries, s);
}

static int any_scope(const struct plan *plan)
{
	return plan_one_in(2) ? plan_below(plan->tries) : extra_scope();
}

static void make_use(struct plan *plan, const struct plan_limits *limits)
{
	int slot = plan_below(PLAN_SLOTS), puller = PLAN_CLAUSES + plan_below(PLAN_PULLERS);

	switch (plan_below(limits->clone ? 9 : 6)) {
	case 0:
		add_op(plan, DO_REOPEN, slot, puller);
		break;
	case 1:
		add_op(plan, DO_DROP, slot, 0);
		break;
	case 2:
		add_op(plan, DO_COPY, slot, plan_below(PLAN_SLOTS));
		break;
	case 6:
	case 7: /* one catch, several answers */
		add_op(plan, DO_CLONE, slot, plan_below(PLAN_SLOTS));
		if (plan_one_in(2) && plan->ops < PLAN_OPS)
			add_op(plan, DO_RESUME, plan->op[plan->ops - 1].b, 0);
		break;
	case 8:
		add_op(plan, DO_FINI,
		       plan_one_in(5) ? plan_below(plan->tries)
				      : PLAN_TRIES + plan_below(PLAN_CLONES),
		       0);
		break;
	default:
		add_op(plan, DO_RESUME, slot, 0);
	}
}

static void make_op(struct plan *plan, const struct plan_limits *limits)
{
	int t = instance(plan, limits);

	switch (plan_below(limits->machine ? 14 : 16)) {
	case 14:
	case 15:
		add_op(plan, DO_DEADLINE, t, 0)->value = (uint64_t)plan_below(30);
		break;
	case 0:
		add_op(plan, DO_ADD, plan_below(PLAN_CLAUSES), any_scope(plan));
		break;
	case 1:
		add_op(plan, DO_REMOVE, plan_below(PLAN_CLAUSES), any_scope(plan));
		break;
	case 2:
		add_op(plan, DO_FINALLY, plan_below(PLAN_FINALS), 0);
		break;
	case 3:
		make_enter(plan, extra_scope());
		break;
	case 4:
		add_op(plan, DO_LEAVE, t, 0);
		break;
	case 5:
		add_op(plan, DO_ANSWER, t, 0);
		break;
	case 6:
		add_op(plan, DO_PULL, t, PLAN_CLAUSES + plan_below(PLAN_PULLERS));
		break;
	case 7:
	case 8:
	case 9:
	case 10:
		if (limits->capture) {
			make_use(plan, limits);
			break;
		}
		/* fallthrough */
	default:
		add_op(plan, DO_RUN, t, 0);
	}
}

/* Whether a try is inside another's scope: then what its clauses know is not one guest's alone. */
static bool is_shared(const struct plan *plan)
{
	for (int t = 0; t < PLAN_TRIES; t++)
		if (plan->outer[t] >= 0)
			return true;
	return false;
}

/* Several tries may be pulled at once, and left in any order. */
static void make_pull(struct plan *plan, const struct plan_limits *limits)
{
	int t = instance(plan, limits);

	if (plan_one_in(4))
		add_op(plan, DO_QUIT, t, 0);
	else
		add_op(plan, DO_NEXT, t, PLAN_CLAUSES + plan_below(PLAN_PULLERS));
}

/* A try and its clone, pulled in turns: one's business is none of the other's. */
static void make_sisters(struct plan *plan)
{
	static const enum plan_say firsts[] = { SAY_CAPTURE, SAY_UNWIND, SAY_UNWIND };
	int t = plan_below(plan->tries);

	for (int i = 0; i < 3; i++) {
		plan->script[PLAN_CLAUSES + i].item[0] =
			(struct plan_item){ .say = firsts[i], .slot = 0, .value = 7 };
		add_op(plan, i ? DO_REOPEN : DO_NEXT, i ? i - 1 : t, PLAN_CLAUSES + i);
		if (i == 0) {
			add_op(plan, DO_NEXT, t, PLAN_SCRIPTS - 1);
			add_op(plan, DO_CLONE, 0, 1);
		}
	}
	for (int i = 0; i < 10; i++)
		add_op(plan, plan_one_in(5) ? DO_QUIT : DO_NEXT, plan_one_in(2) ? t : PLAN_TRIES,
		       PLAN_CLAUSES + plan_below(PLAN_PULLERS));
}

static void make_main(struct plan *plan, const struct plan_limits *limits)
{
	int clauses = 3 + plan_below(PLAN_CLAUSES - 3), finals = plan_below(PLAN_FINALS);
	int uses = 3 + plan_below(8);
	bool pulls = plan_one_in(4);

	if (limits->clone && !is_shared(plan))
		for (int t = 0; t < plan->tries; t++)
			add_op(plan, DO_STATE, t, 0);
	for (int i = 0; i < clauses; i++)
		add_op(plan, DO_ADD, i, any_scope(plan));
	for (int i = 0; i < finals; i++)
		add_op(plan, DO_FINALLY, i, 0);
	for (int s = PLAN_TRIES; s < PLAN_SCOPES; s++)
		if (plan_one_in(2))
			make_enter(plan, s);
	if (limits->clone && plan_one_in(8))
		make_sisters(plan);
	add_op(plan, plan_one_in(4) ? DO_PULL : DO_RUN, plan_below(plan->tries),
	       PLAN_CLAUSES + plan_below(PLAN_PULLERS));
	for (int i = 0; i < uses; i++) {
		make_op(plan, limits);
		if (pulls)
			make_pull(plan, limits);
	}
	if (limits->clone && plan_one_in(3)) { /* whatever was captured first, again and again */
		for (int i = 0; i < PLAN_CLONES; i++) {
			add_op(plan, DO_CLONE, 0, 1);
			add_op(plan, DO_RESUME, 1, 0);
		}
	}
	plan->main_ops = plan->ops;
}

/* What handlers do before they answer. */
static void make_nested(struct plan *plan, const struct plan_limits *limits)
{
	for (int i = 0; i < PLAN_SCRIPTS; i++) {
		struct plan_item *item = &plan->script[i].item[plan_below(PLAN_ITEMS)];

		if (item->off || plan_one_in(2) || plan->ops + 4 > PLAN_OPS)
			continue;
		item->first_op = plan->ops;
		make_op(plan, limits);
		if (plan_one_in(2))
			make_op(plan, limits);
		if (limits->stray && plan_one_in(6))
			make_pull(plan, limits);
		item->ops = plan->ops - item->first_op;
	}
}

/* What finally clauses do: anything but ending a try, which may be the one that they are of. */
static void make_finals(struct plan *plan, const struct plan_limits *limits)
{
	for (int f = 0; f < PLAN_FINALS; f++) {
		if (!plan_one_in(3) || plan->ops + 3 > PLAN_OPS)
			continue;
		plan->final_op[f] = plan->ops;
		make_op(plan, limits);
		plan->final_ops[f] = plan->ops - plan->final_op[f];
		for (int i = plan->final_op[f]; i < plan->ops; i++)
			plan->op[i].off = plan->op[i].what == DO_FINI;
	}
}

/* A scope around several tries, and tries inside the scopes of others. */
static void make_scopes(struct plan *plan)
{
	for (int s = 0; s < PLAN_SCOPES; s++) {
		plan->outer[s] = -1;
		if (s < PLAN_TRIES && s > 0 && plan_one_in(4))
			plan->outer[s] = plan_below(s);
		else if (s < PLAN_TRIES && plan_one_in(4))
			plan->outer[s] = PLAN_SCOPES - 1;
	}
	for (int f = 0; f < PLAN_FINALS; f++)
		plan->final_scope[f] = any_scope(plan);
}

void plan_make(struct plan *plan, uint64_t seed, const struct plan_limits *limits)
{
	memset(plan, 0, sizeof(*plan));
	plan_seed(seed);
	plan->seed = seed;
	plan->tries = 1 + plan_below(PLAN_TRIES);
	for (int t = 0; t < PLAN_TRIES; t++) {
		plan_make_guest(plan->event[t], (uint8_t)t, limits);
		plan->observed[t] = plan_one_in(4);
		plan->transactional[t] = limits->transaction && plan_one_in(5);
	}
	make_scopes(plan);
	for (int i = 0; i < PLAN_SCRIPTS; i++)
		make_script(plan, &plan->script[i], limits);
	make_main(plan, limits);
	make_nested(plan, limits);
	make_finals(plan, limits);
}
