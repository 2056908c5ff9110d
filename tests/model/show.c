/* SPDX-License-Identifier: MIT */
/* Plans and traces as text. */
#include <inttypes.h>
#include <stdio.h>

#include "trace.h"

static const char *const say_names[SAYS] = {
	[SAY_PASS] = "pass",
	[SAY_RESUME] = "resume",
	[SAY_PAIR] = "resume with a pair",
	[SAY_SKIP] = "skip",
	[SAY_RETRY] = "retry",
	[SAY_INJECT] = "inject",
	[SAY_THROW] = "throw",
	[SAY_UNWIND] = "unwind",
	[SAY_FINISH] = "finish",
	[SAY_CAPTURE] = "capture",
	[SAY_SECOND] = "resume, then unwind; return the first",
	[SAY_TWICE] = "resume, then skip; return the second",
	[SAY_OTHER] = "resume, but return skip",
	[SAY_TAKE_BACK] = "resume, but return pass",
	[SAY_SILENT] = "return resume without an answer",
	[SAY_BAD_THROW] = "throw a breakpoint",
};

static const char *const do_names[DOES] = {
	[DO_ADD] = "add",	[DO_REMOVE] = "remove",	    [DO_FINALLY] = "finally",
	[DO_STATE] = "state",	[DO_ENTER] = "enter",	    [DO_LEAVE] = "leave",
	[DO_RUN] = "run",	[DO_PULL] = "pull",	    [DO_NEXT] = "next",
	[DO_QUIT] = "quit",	[DO_DEADLINE] = "deadline", [DO_ANSWER] = "answer",
	[DO_RESUME] = "resume", [DO_REOPEN] = "reopen",	    [DO_DROP] = "drop",
	[DO_COPY] = "copy",	[DO_CLONE] = "clone",	    [DO_FINI] = "fini",
};

static const char *verdict_name(int verdict)
{
	static const char *const names[] = { "pass",   "resume", "skip",    "retry",  "inject",
					     "unwind", "throw",	 "capture", "refused" };

	return verdict >= 0 && verdict <= HATCH_REFUSED ? names[verdict] : "?";
}

/* ---- Plans ---- */

static void show_key(enum hatch_kind kind, uint64_t first, uint64_t last)
{
	printf("%s", kind == HATCH_ANY ? "any" : hatch_kind_name(kind));
	if (kind != HATCH_ANY && kind != HATCH_WFI && kind != HATCH_BREAKPOINT)
		printf(first == last ? " 0x%" PRIx64 : " 0x%" PRIx64 " to 0x%" PRIx64, first, last);
}

void plan_show_event(const struct plan_event *ev)
{
	show_key(ev->kind, ev->key, ev->key);
	if (ev->kind == HATCH_HYPERCALL || ev->kind == HATCH_SYSCALL)
		printf(" function %" PRIu64 " a0=0x%" PRIx64, ev->function, ev->value);
	if (ev->kind == HATCH_MMIO || ev->kind == HATCH_PAGE)
		printf(" %s of %d bytes",
		       ev->write  ? "store"
		       : ev->sign ? "load"
				  : "unsigned load",
		       ev->width);
	if (ev->kind == HATCH_DEADLINE)
		printf(", after %" PRIu64 " ticks", ev->value);
	if (ev->write)
		printf(", value 0x%" PRIx64, ev->value);
	printf(" (instruction 0x%x, %d bytes%s, result in x%d)", ev->code, ev->length,
	       ev->bare ? ", to be fetched" : "", ev->result);
}

static void show_op(const struct plan *plan, const struct plan_op *op)
{
	printf("%s ", do_names[op->what]);
	switch (op->what) {
	case DO_ADD:
	case DO_REMOVE:
		printf("clause %d, scope %d", op->a, op->b);
		break;
	case DO_FINALLY:
		printf("%d, scope %d", op->a, plan->final_scope[op->a]);
		break;
	case DO_ENTER:
		printf("scope %d, try %d", op->b, op->a);
		break;
	case DO_PULL:
	case DO_NEXT:
		printf("try %d with script %d", op->a, op->b);
		break;
	case DO_STATE:
		printf("of scope %d", op->a);
		break;
	case DO_ANSWER:
		printf("what try %d waits for, 0x%" PRIx64, op->a, op->value);
		break;
	case DO_DEADLINE:
		printf("of try %d in %d ticks", op->a, (int)op->value);
		break;
	case DO_RESUME:
		printf("slot %d with 0x%" PRIx64, op->a, op->value);
		break;
	case DO_REOPEN:
		printf("slot %d with script %d", op->a, op->b);
		break;
	case DO_DROP:
		printf("slot %d", op->a);
		break;
	case DO_COPY:
	case DO_CLONE:
		printf("slot %d to slot %d", op->a, op->b);
		break;
	default:
		printf("try %d", op->a);
	}
}

static void show_ops(const struct plan *plan, int first, int count, const char *indent)
{
	for (int i = first; i < first + count; i++) {
		if (plan->op[i].off)
			continue;
		printf("%s", indent);
		show_op(plan, &plan->op[i]);
		printf("\n");
	}
}

static bool has_ops(const struct plan *plan, int first, int count)
{
	for (int i = first; i < first + count; i++)
		if (!plan->op[i].off)
			return true;
	return false;
}

static void show_item(const struct plan *plan, const struct plan_item *item)
{
	show_ops(plan, item->first_op, item->ops, "    first: ");
	printf("    say: %s", say_names[item->say]);
	if (item->say == SAY_CAPTURE)
		printf(" into slot %d", item->slot);
	else if (item->say == SAY_PAIR || item->say == SAY_INJECT || item->say == SAY_THROW)
		printf(" 0x%" PRIx64 " 0x%" PRIx64, item->value, item->second);
	else if (item->say != SAY_PASS && item->say != SAY_SKIP && item->say != SAY_RETRY)
		printf(" 0x%" PRIx64, item->value);
	printf("\n");
}

static void show_script(const struct plan *plan, int i)
{
	const struct plan_script *c = &plan->script[i];

	if (c->off)
		return;
	printf("  %s %d", i < PLAN_CLAUSES ? "clause" : "script", i);
	if (i < PLAN_CLAUSES) {
		printf(": ");
		show_key(c->kind, c->first, c->last);
		if (c->function_last != UINT64_MAX)
			printf(" functions %" PRIu64 " to %" PRIu64, c->function_first,
			       c->function_last);
		if (c->may != HATCH_MAY_ALL)
			printf(", may 0x%x", c->may);
		if (c->registers)
			printf(", registers");
	}
	printf("\n");
	for (int n = 0; n < PLAN_ITEMS; n++)
		if (!c->item[n].off)
			show_item(plan, &c->item[n]);
}

void plan_show(const struct plan *plan)
{
	for (int t = 0; t < plan->tries; t++) {
		if (plan->absent[t])
			continue;
		printf("  try %d%s%s, its guest:\n", t, plan->observed[t] ? ", observed" : "",
		       plan->transactional[t] ? ", transactional" : "");
		for (int i = 0; i < PLAN_EVENTS; i++) {
			if (plan->event[t][i].off)
				continue;
			printf("    %d: ", i);
			plan_show_event(&plan->event[t][i]);
			printf("\n");
		}
		if (plan->outer[t] >= 0)
			printf("    inside scope %d\n", plan->outer[t]);
	}
	for (int i = 0; i < PLAN_SCRIPTS; i++)
		show_script(plan, i);
	for (int f = 0; f < PLAN_FINALS; f++)
		if (has_ops(plan, plan->final_op[f], plan->final_ops[f])) {
			printf("  finally %d, the first time:\n", f);
			show_ops(plan, plan->final_op[f], plan->final_ops[f], "    ");
		}
	printf("  the host:\n");
	show_ops(plan, 0, plan->main_ops, "    ");
}

/* ---- Traces ---- */

static void show_event(const struct trace_line *l)
{
	printf("%s 0x%" PRIx64 " length %d, the rest 0x%" PRIx64 "\n",
	       hatch_kind_name((enum hatch_kind)(l->c >> 8)), l->x, l->c & 255, l->y);
}

static void show_line(const struct trace_line *l)
{
	switch (l->what) {
	case TRACE_ASKED:
		printf("clause %d is asked by try %d: ", l->a, l->b);
		show_event(l);
		break;
	case TRACE_PULLED:
		printf("try %d is pulled: ", l->b);
		show_event(l);
		break;
	case TRACE_UNCAUGHT:
		printf("try %d, not caught: ", l->b);
		show_event(l);
		break;
	case TRACE_SAID:
		printf("%d says %s\n", l->a, verdict_name(l->c));
		break;
	case TRACE_STATE:
		printf("the state of scope %d is %d\n", l->a, l->b);
		break;
	case TRACE_FINAL:
		printf("finally %d\n", l->a);
		break;
	case TRACE_DONE:
		printf("%s: %d%s%s\n", do_names[l->a], l->c, l->c < 0 ? " " : "",
		       l->c < 0 ? hatch_error_name(l->c) : "");
		break;
	case TRACE_OUTCOME:
		printf("try %d returned %s; it is %s, error %s, status 0x%" PRIx64 "\n", l->a,
		       hatch_outcome_name((enum hatch_outcome)l->b),
		       hatch_outcome_name((enum hatch_outcome)l->c),
		       l->x ? hatch_error_name((int)l->x) : "none", l->y);
		break;
	case TRACE_CULPRIT:
		printf("try %d was ended by clause %d; the guest is at event %d\n", l->a, l->b,
		       l->c);
		break;
	case TRACE_SEEN:
		printf("try %d: event %d %s, result 0x%" PRIx64 ", registers %" PRIx64 "\n", l->a,
		       l->b,
		       l->c == 1  ? "is over"
		       : l->c > 1 ? "was a fault"
				  : "left rubbish",
		       l->x, l->y);
		break;
	default:
		printf("WRONG, line %d\n", l->c);
	}
}

void trace_show(const struct trace *trace, const char *name, int end)
{
	for (int i = 0; i <= end && i < trace->lines && i < TRACE_LINES; i++) {
		printf("  %s %d: ", name, i);
		show_line(&trace->line[i]);
	}
}
