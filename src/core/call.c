/* SPDX-License-Identifier: MIT */
/*
 * The long road of a call: the first one, one with floating point or a limit, and every one whose
 * box does anything but return. call_door.S has the short road.
 */
#include <hatch/csr.h>
#include "call.h"
#include "dispatch.h"
#include "hart.h"
#include "offsets.h"

#define SAME(offset, type, field)                                                                  \
	_Static_assert((offset) == offsetof(type, field), #offset " is not where " #field " is")

SAME(CALL_BOX, struct hatch_call_frame, box);
SAME(CALL_FUNCTION, struct hatch_call_frame, function);
SAME(CALL_ARGUMENTS, struct hatch_call_frame, arguments);
SAME(CALL_ANSWER, struct hatch_call_frame, answer);
SAME(CALL_OUTCOME, struct hatch_call_frame, result.outcome);
SAME(CALL_OUTCOME + 4, struct hatch_call_frame, result.stop);
SAME(CALL_VALUE, struct hatch_call_frame, result.value);
SAME(BOX_STATE, struct hatch_box, state);
SAME(BOX_TICKS, struct hatch_box, ticks);
SAME(BOX_STACK_TOP, struct hatch_box, stack_top);
SAME(BOX_TLS, struct hatch_box, tls);
SAME(BOX_TRY, struct hatch_box, running);
SAME(BOX_VCPU, struct hatch_box, vcpu);
_Static_assert(HATCH_BOX_READY == 0 && HATCH_BOX_RUNNING == BOX_IS_RUNNING && HATCH_DONE == 0 &&
		       HATCH_STOP_NONE == 0 && HATCH_ANSWER_INTEGER == 0,
	       "call_door.S has these numbers built in");

static void fail(struct hatch_call_result *result, enum hatch_stop stop, int error)
{
	*result = (struct hatch_call_result){
		.outcome = HATCH_FAILED,
		.stop = stop,
		.error = error,
	};
}

static int error_of(const struct hatch_box *box)
{
	if (!box)
		return HATCH_EINVAL;
	return box->state == HATCH_BOX_RUNNING ? HATCH_EBUSY : HATCH_ESTALE;
}

/*
 * Registers that carry no argument must not carry the host's secrets either. Which of the two
 * kinds an argument went to only the compiler knows: both are kept for each.
 */
static void clear_unused(struct hatch_box *box, unsigned int arguments)
{
	bool fp = csr_read(sstatus) & SSTATUS_FS; /* only then did the door store some */

	for (unsigned int i = arguments; i < 8; i++) {
		box->vcpu.frame.x[10 + i] = 0;
		if (fp)
			box->vcpu.fp[10 + i] = 0;
	}
}

/*
 * Brings the box onto this hart. Who was there before comes back behind the call if it is in the
 * middle of a run; an idle box just goes.
 */
static int occupy(struct hatch_box *box)
{
	struct hatch_hart *hart = hatch_hart_this();
	struct hatch_vcpu *before = hart->current;

	if (box->vcpu.live) /* and not here */
		return HATCH_EBUSY;
	if (before)
		hatch_vcpu_put(before);
	box->t.interrupted = before && before->running ? before : NULL;
	hatch_vcpu_load(&box->vcpu);
	hatch_hart_deadline(&box->vcpu, HATCH_NEVER);
	return 0;
}

static void vacate(struct hatch_box *box)
{
	struct hatch_vcpu *before = box->t.interrupted;

	box->t.interrupted = NULL;
	hatch_vcpu_put(&box->vcpu);
	hatch_hart_deadline(before, before->running->deadline);
	hatch_vcpu_load(before);
	before->frame.leave = HATCH_ANSWERED;
}

static void take_value(struct hatch_box *box, struct hatch_call_frame *call)
{
	float narrow;

	if (box->vcpu.fp_live)
		hatch_vcpu_fp_save(&box->vcpu);
	__builtin_memcpy(&narrow, &box->vcpu.fp[10], sizeof(narrow));
	if (call->answer == HATCH_ANSWER_FLOAT)
		call->result.fvalue = narrow;
	else
		call->result.value = box->vcpu.fp[10];
}

/* Only firmware that brings an illegal instruction back to the wrong side makes it VS-mode. */
static bool is_lost(const struct hatch_vcpu *vcpu)
{
	return vcpu->frame.sstatus & SSTATUS_SPP;
}

/* The box trapped elsewhere than at its return. True: it goes on. */
static bool go_on(struct hatch_box *box, struct hatch_call_result *result)
{
	struct hatch_vcpu *vcpu = &box->vcpu;
	struct hatch_trap trap;
	uint32_t fetched = 0;

	hatch_vcpu_trap(&trap);
	if (!(csr_read(hstatus) & HSTATUS_SPV))
		hatch_hart_this()->report(&vcpu->frame, &trap);
	if (is_lost(vcpu)) {
		fail(result, HATCH_STOP_ILLEGAL, HATCH_EFIRMWARE);
		return false;
	}
	if (trap.scause == CAUSE_USER_ECALL && vcpu->frame.pc == (uintptr_t)hatch_ask &&
	    hatch_box_answer(box, result))
		return true;
	if (result->stop == HATCH_STOP_OFFER)
		return false;
	if (hatch_event_needs_fetch(&trap, vcpu))
		fetched = hatch_vcpu_fetch(vcpu);
	hatch_event_decode(&box->t.event, &trap, vcpu, fetched);
	if (trap.scause == (CAUSE_INTERRUPT | IRQ_S_SOFT) && !hatch_take_post(vcpu))
		return true; /* for nobody */
	if (trap.scause == (CAUSE_INTERRUPT | IRQ_S_TIMER) && !hatch_deadline_passed(&box->t) &&
	    !hatch_hart_alarm_is_due())
		return true; /* for nobody */
	hatch_box_explain(box, &trap, result);
	return false;
}

static inline bool has_returned(const struct hatch_vcpu *vcpu)
{
	return vcpu->frame.pc == (uintptr_t)hatch_call_return &&
	       csr_read(scause) == CAUSE_USER_ECALL;
}

/*
 * The host may have values in fs0 to fs11 that it must not lose. They are put aside where the
 * framework finds them again when the box's own leave the registers (hatch_vcpu_fp_save): a host
 * that uses no floating point between two calls pays for it once.
 */
static void put_host_fp_aside(void)
{
	struct hatch_host_fp *host = &hatch_hart_this()->host_fp;

	hatch_host_fp_store(host->saved);
	host->used = true;
}

static void run(struct hatch_box *box)
{
	if (csr_read(sstatus) & SSTATUS_FS)
		put_host_fp_aside();
	hatch_vcpu_run(&box->vcpu);
}

/* From the box's first trap to its value, or to what stopped it. */
static enum hatch_box_state finish(struct hatch_box *box, struct hatch_call_frame *call)
{
	while (!has_returned(&box->vcpu)) {
		if (!go_on(box, &call->result))
			return HATCH_BOX_STOPPED;
		run(box);
	}
	call->result.outcome = HATCH_DONE;
	call->result.stop = HATCH_STOP_NONE;
	call->result.value = box->vcpu.frame.x[10];
	if (call->answer != HATCH_ANSWER_INTEGER)
		take_value(box, call);
	return HATCH_BOX_READY;
}

static void leave(struct hatch_call_frame *call, enum hatch_box_state state)
{
	struct hatch_box *box = call->box;
	bool stopped = state == HATCH_BOX_STOPPED && call->result.outcome == HATCH_UNCAUGHT;

	box->resumable = stopped && (box->t.event.kind == HATCH_DEADLINE ||
				     box->t.event.kind == HATCH_INTERRUPT);
	box->answer = call->answer;
	box->state = state;
	box->vcpu.running = NULL;
	if (box->t.interrupted)
		vacate(box);
}

static void begin(struct hatch_box *box, const struct hatch_call_frame *call)
{
	struct hatch_frame *frame = &box->vcpu.frame;

	box->state = HATCH_BOX_RUNNING;
	box->vcpu.running = box->running;
	frame->pc = call->function;
	frame->x[1] = (uintptr_t)hatch_call_return;
	frame->x[2] = (uintptr_t)box->stack_top;
	frame->x[4] = (uintptr_t)box->tls;
}

static void set_deadline(struct hatch_box *box)
{
	uint64_t now = hatch_vcpu_time(&box->vcpu);

	hatch_try_set_deadline(&box->t, box->ticks < HATCH_NEVER - 1 - now ? now + box->ticks
									   : HATCH_NEVER - 1);
}

/* Runs a box that stands on this hart and begins or goes on with a call. */
static void run_to_end(struct hatch_call_frame *call)
{
	struct hatch_box *box = call->box;
	enum hatch_box_state state;

	if (box->ticks)
		set_deadline(box);
	run(box);
	state = finish(box, call);
	if (box->ticks)
		hatch_try_set_deadline(&box->t, HATCH_NEVER);
	leave(call, state);
}

void hatch_call_run(struct hatch_call_frame *call)
{
	struct hatch_box *box = call->box;

	if (!box || box->state != HATCH_BOX_READY) {
		fail(&call->result, HATCH_STOP_REFUSED, error_of(box));
		return;
	}
	clear_unused(box, call->arguments);
	if (hatch_hart_this()->current != &box->vcpu && occupy(box)) {
		fail(&call->result, HATCH_STOP_REFUSED, HATCH_EBUSY);
		return;
	}
	begin(box, call);
	run_to_end(call);
}

struct hatch_call_result hatch_call_resume(struct hatch_box *box)
{
	struct hatch_call_frame call = { .box = box };
	int error = !box ? HATCH_EINVAL : !box->resumable ? HATCH_ESTALE : 0;

	if (!error && hatch_hart_this()->current != &box->vcpu)
		error = occupy(box);
	if (error) {
		fail(&call.result, HATCH_STOP_REFUSED, error);
		return call.result;
	}
	call.answer = box->answer;
	box->resumable = false;
	box->state = HATCH_BOX_RUNNING;
	box->vcpu.running = box->running;
	run_to_end(&call);
	return call.result;
}

void hatch_call_go_on(struct hatch_call_frame *call)
{
	leave(call, finish(call->box, call));
}
