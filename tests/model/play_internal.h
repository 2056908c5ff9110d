/* SPDX-License-Identifier: MIT */
/* What the two halves of the player share: the host (play.c) and the handlers (play_say.c). */
#ifndef MODEL_PLAY_INTERNAL_H
#define MODEL_PLAY_INTERNAL_H

#include "play.h"

struct play_instance {
	bool there;
	int index; /* whose events the guest has */
	struct hatch_guest guest;
	struct hatch_vcpu vcpu;
	struct hatch_try own, *t;
	struct hatch_clone clone;
};

struct play {
	const struct plan *plan;
	struct trace *trace;
	struct play_instance instance[PLAN_INSTANCES];
	struct hatch_scope scope[PLAN_SCOPES]; /* the first ones are not used */
	struct hatch_catch clause[PLAN_CLAUSES];
	struct hatch_finally final[PLAN_FINALS];
	struct play_device {
		struct hatch_state state;
		int asked;
		const struct hatch_vcpu *vcpu; /* whose, once that was told */
	} device[PLAN_TRIES];		       /* one in each try's own scope */
	bool final_ran[PLAN_FINALS], ending;
	int next[PLAN_SCRIPTS];
	struct hatch_captured slot[PLAN_SLOTS];
	int clones;
};

extern struct play play;

#define PLAY_WRONG() trace_add(play.trace, TRACE_WRONG, 0, 0, __LINE__, 0, 0)

struct hatch_scope *play_scope(int number);
void play_perform(int first, int count);

/* ---- play_say.c ---- */

/* The event in the plan's words. */
struct plan_event play_translate(const struct hatch_event *ev);
/* The next line of a script; NULL behind its end. */
const struct plan_item *play_peek(int script);
/* Says the script's next line. */
enum hatch_verdict play_ask(int script, struct hatch_cont *k);

hatch_handler play_on_event;
hatch_observer play_on_observed;
void play_on_leave(void *arg);
void play_device_save(void *arg, void *to);
int play_device_restore(void *arg, const void *from, struct hatch_vcpu *vcpu);

#endif
