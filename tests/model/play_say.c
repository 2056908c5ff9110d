/* SPDX-License-Identifier: MIT */
/* Real handlers, who read their lines from the plan. */
#include <string.h>

#include "play_internal.h"

/* ---- Events ---- */

/* The event in the plan's words. */
struct plan_event play_translate(const struct hatch_event *ev)
{
	struct plan_event out = { .kind = ev->kind,
				  .key = hatch_event_key(ev),
				  .length = ev->length };

	switch (ev->kind) {
	case HATCH_HYPERCALL:
	case HATCH_SYSCALL:
		out.function = ev->hypercall.function;
		out.value = ev->hypercall.arg[0];
		break;
	case HATCH_MMIO:
		out.value = ev->mmio.value;
		out.width = ev->mmio.width;
		out.write = ev->mmio.write;
		out.sign = !ev->mmio.write && ev->mmio.sign;
		out.result = ev->mmio.rd;
		break;
	case HATCH_PAGE:
		out.write = ev->page.write;
		break;
	case HATCH_CSR:
		out.value = ev->csr.operand;
		out.result = ev->csr.rd;
		out.code = (uint32_t)ev->csr.op << 12;
		break;
	case HATCH_DEADLINE:
		out.value = ev->deadline.ticks;
		break;
	default:
		break;
	}
	return out;
}

static int instance_of(const struct hatch_cont *k)
{
	for (int i = 0; i < PLAN_INSTANCES; i++)
		if (play.instance[i].there && k == hatch_try_cont(play.instance[i].t))
			return i;
	PLAY_WRONG();
	return -1;
}

/* ---- Answers ---- */

const struct plan_item *play_peek(int script)
{
	const struct plan_script *c = &play.plan->script[script];
	int *next = &play.next[script];

	while (*next < PLAN_ITEMS && (c->off || c->item[*next].off))
		++*next;
	return *next < PLAN_ITEMS ? &c->item[*next] : NULL;
}

static enum hatch_verdict throw_(struct hatch_cont *k, const struct plan_item *item)
{
	struct hatch_trap trap = { .scause = item->value, .stval = item->second };

	if (item->say == SAY_BAD_THROW)
		trap.scause = CAUSE_BREAKPOINT;
	if (trap.scause == CAUSE_LOAD_GUEST_PAGE_FAULT ||
	    trap.scause == CAUSE_STORE_GUEST_PAGE_FAULT)
		trap.htval = item->second >> 2;
	return hatch_throw(k, &trap);
}

/* Answers resume, and then does what one should not. */
static enum hatch_verdict misbehave(struct hatch_cont *k, const struct plan_item *item)
{
	enum hatch_verdict first = hatch_resume(k, item->value), second;

	switch (item->say) {
	case SAY_OTHER:
		return HATCH_SKIP;
	case SAY_TAKE_BACK:
		return HATCH_PASS;
	case SAY_TWICE:
		return hatch_skip(k);
	default:
		second = hatch_unwind(k, 7);
		if (second != HATCH_REFUSED || k->error != HATCH_ESTALE)
			PLAY_WRONG();
		return first;
	}
}

static enum hatch_verdict say(struct hatch_cont *k, const struct plan_item *item)
{
	switch (item->say) {
	case SAY_PASS:
		return HATCH_PASS;
	case SAY_RESUME:
		return hatch_resume(k, item->value);
	case SAY_PAIR:
		return hatch_resume_pair(k, item->value, item->second);
	case SAY_SKIP:
		return hatch_skip(k);
	case SAY_RETRY:
		return hatch_retry(k);
	case SAY_INJECT:
		return hatch_inject(k, item->value, item->second);
	case SAY_UNWIND:
		return hatch_unwind(k, (long)item->value);
	case SAY_FINISH:
		return hatch_finish(k, (long)item->value);
	case SAY_CAPTURE:
		return hatch_cont_capture(k, &play.slot[item->slot]);
	case SAY_THROW:
	case SAY_BAD_THROW:
		return throw_(k, item);
	case SAY_SILENT:
		return HATCH_RESUME;
	default:
		return misbehave(k, item);
	}
}

enum hatch_verdict play_ask(int script, struct hatch_cont *k)
{
	static const struct plan_item pass = { .say = SAY_PASS };
	const struct plan_item *item = play_peek(script);
	enum hatch_verdict verdict;

	if (item)
		play.next[script]++;
	else
		item = &pass;
	play_perform(item->first_op, item->ops);
	verdict = say(k, item);
	trace_add(play.trace, TRACE_SAID, script, 0, verdict, 0, 0);
	return verdict;
}

/* A handler that wants registers finds the guest's, those that nothing has touched included. */
static void look_at_registers(const struct hatch_cont *k, int instance)
{
	int index = instance < 0 ? 0 : play.instance[instance].index;
	uint64_t value = 0;

	if (hatch_cont_get(k, 20, &value) || value != SEEN_FIRST(index, 20))
		PLAY_WRONG();
	if (hatch_cont_get(k, SEEN_BASE, &value) || value != SEEN_POINTER)
		PLAY_WRONG();
}

static void use_device(const struct hatch_catch *clause, const struct hatch_cont *k)
{
	for (int i = 0; i < PLAN_TRIES; i++) {
		struct play_device *device = &play.device[i];

		if (clause->scope != play_scope(i) || !play_scope(i)->states)
			continue;
		trace_add(play.trace, TRACE_STATE, i, ++device->asked, 0, 0, 0);
		if (device->vcpu && device->vcpu != k->vcpu)
			PLAY_WRONG();
	}
}

void play_device_save(void *arg, void *to)
{
	memcpy(to, &((struct play_device *)arg)->asked, sizeof(int));
}

int play_device_restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	struct play_device *device = arg;

	memcpy(&device->asked, from, sizeof(int));
	device->vcpu = vcpu;
	return 0;
}

enum hatch_verdict play_on_event(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	const struct hatch_catch *clause = arg;
	struct plan_event event = play_translate(ev);
	int instance = instance_of(k);

	trace_event(play.trace, TRACE_ASKED, (int)(clause - play.clause), instance, &event);
	if (ev->kind == HATCH_MMIO && clause->kind == HATCH_MMIO &&
	    ev->mmio.offset != event.key - clause->first)
		PLAY_WRONG();
	use_device(clause, k);
	if (clause->registers)
		look_at_registers(k, instance);
	return play_ask((int)(clause - play.clause), k);
}

void play_on_leave(void *arg)
{
	int final = (int)((struct hatch_finally *)arg - play.final);

	trace_add(play.trace, TRACE_FINAL, final, 0, 0, 0, 0);
	if (play.final_ran[final])
		return;
	play.final_ran[final] = true;
	play_perform(play.plan->final_op[final], play.plan->final_ops[final]);
}

void play_on_observed(void *arg, const struct hatch_event *ev, const struct hatch_cont *k,
		      const struct hatch_catch *clause)
{
	(void)arg;
	(void)ev;
	(void)k;
	(void)clause;
}
