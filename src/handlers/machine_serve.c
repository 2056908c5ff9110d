/* SPDX-License-Identifier: MIT */
/*
 * The harts of a machine, each on a hart of the host: they wait, begin, stop, and end together.
 */
#include "machine_internal.h"

static struct hatch_try *ended(const struct hatch_machine *machine)
{
	return __atomic_load_n(&machine->ended, __ATOMIC_ACQUIRE);
}

static int state_of(const struct hatch_sbi_hart *hart)
{
	return __atomic_load_n(&hart->state, __ATOMIC_SEQ_CST);
}

static void set_state(struct hatch_sbi_hart *hart, enum sbi_hart_state state)
{
	__atomic_store_n(&hart->state, (int)state, __ATOMIC_SEQ_CST);
}

static void timer_off(const struct hatch_machine *machine)
{
	machine->host.timer(machine->host.arg, HATCH_TIMER_NEVER);
}

/* ---- To begin ---- */

int hatch_machine_start(void *arg, struct hatch_sbi_hart *hart)
{
	struct hatch_machine *machine = arg;
	unsigned int number = (unsigned int)(hart - machine->hart);

	__atomic_fetch_or(&machine->told, UINT32_C(1) << number, __ATOMIC_RELEASE);
	machine->host.wake(machine->host.arg, number);
	return HATCH_OK;
}

/* START_PENDING alone does not do: the starter may not have set the registers yet. */
static bool is_to_run(struct hatch_machine *machine, unsigned int hart)
{
	const uint32_t bit = UINT32_C(1) << hart;

	if (__atomic_load_n(&machine->told, __ATOMIC_ACQUIRE) & bit) {
		__atomic_fetch_and(&machine->told, ~bit, __ATOMIC_RELAXED);
		set_state(&machine->hart[hart], SBI_HART_STARTED);
	}
	return state_of(&machine->hart[hart]) == SBI_HART_STARTED;
}

/* ---- To end ---- */

static enum hatch_verdict on_kick(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	const struct hatch_machine *machine = arg;

	(void)ev;
	return ended(machine) ? hatch_unwind(k, 0) : hatch_resume(k, 0);
}

struct hatch_catch hatch_machine_kick_clause(struct hatch_machine *machine)
{
	struct hatch_catch clause = HATCH_ON_INTERRUPT(IRQ_S_SOFT, on_kick, machine);

	clause.name = "kick";
	clause.may = HATCH_MAY(HATCH_RESUME) | HATCH_MAY(HATCH_UNWIND);
	return clause;
}

/* The first try to come here has ended the machine. */
static void end(struct hatch_machine *machine, struct hatch_try *t)
{
	struct hatch_try *none = NULL;

	if (!__atomic_compare_exchange_n(&machine->ended, &none, t, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		return;
	for (unsigned int i = 0; i < machine->harts; i++) {
		if (machine->hart[i].vcpu == t->vcpu)
			continue;
		hatch_vcpu_kick(machine->hart[i].vcpu);
		machine->host.wake(machine->host.arg, i);
	}
}

/* Whether the harts that stopped, perhaps at one moment, were all that there are. */
static bool is_nobody_left(const struct hatch_machine *machine)
{
	for (unsigned int i = 0; i < machine->harts; i++)
		if (state_of(&machine->hart[i]) != SBI_HART_STOPPED)
			return false;
	return true;
}

/* The hart's try has been left, and its registers are in memory: it may be started again. */
static void stop(struct hatch_machine *machine, unsigned int hart, struct hatch_try *t)
{
	enum hatch_reset_kind none = HATCH_RESET_NONE;

	set_state(&machine->hart[hart], SBI_HART_STOPPED);
	if (!is_nobody_left(machine))
		return;
	/* As if one of them had seen it and finished the guest. */
	__atomic_compare_exchange_n(&machine->sbi.reset, &none, HATCH_RESET_STOPPED, false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	t->outcome = HATCH_DONE;
	end(machine, t);
}

bool hatch_machine_begin(struct hatch_machine *machine, unsigned int hart, struct hatch_try *t)
{
	if (ended(machine) || !is_to_run(machine, hart))
		return false;
	hatch_machine_arm(machine, t->vcpu);
	hatch_timer_rearm(&machine->timer, t->vcpu);
	return true;
}

void hatch_machine_turned(struct hatch_machine *machine, unsigned int hart, struct hatch_try *t,
			  bool over)
{
	timer_off(machine);
	if (!over || ended(machine) == t)
		return;
	if (t->outcome == HATCH_UNWOUND && state_of(&machine->hart[hart]) == SBI_HART_STOP_PENDING)
		stop(machine, hart, t);
	else
		end(machine, t);
}

bool hatch_machine_has_ended(const struct hatch_machine *machine)
{
	return ended(machine) != NULL;
}

enum hatch_outcome hatch_machine_serve(struct hatch_machine *machine, unsigned int hart,
				       struct hatch_try *t)
{
	timer_off(machine);
	while (!ended(machine))
		if (hatch_machine_begin(machine, hart, t)) {
			hatch_try_run(t);
			hatch_machine_turned(machine, hart, t, true);
		} else {
			machine->host.wait(machine->host.arg);
		}
	return ended(machine)->outcome;
}
