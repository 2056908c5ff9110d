/* SPDX-License-Identifier: MIT */
/* What belongs to one hart. Thread-local: it hangs off tp, and harts share nothing here. */
#ifndef HATCH_CORE_HART_H
#define HATCH_CORE_HART_H

#include <hatch/hart.h>

#define HART_EMERGENCY_STACK 4096 /* bytes: for the report of a trap of the host itself */

/* fs0 to fs11 and fcsr of the host: its callers may keep values there over a run of the guest. */
struct hatch_host_fp {
	uint64_t saved[13];
	bool used; /* floating point was on, so that there may be such values */
};

/*
 * Invariants: the hardware's vs* CSRs, hgatp and hvip are those of `current`, if it is not NULL;
 * `vmid_next` was not given to any vcpu in this `vmid_generation`. `host_fp` is used only while
 * the floating-point registers are those of `current` and switched off for the host. The timer
 * is set to `programmed`, which is the earlier of `alarm` and `deadline`.
 */
struct hatch_hart {
	struct hatch_frame frame; /* sscratch points here while the host runs */
	struct hatch_vcpu *current;
	hatch_host_trap_fn *report;
	struct hatch_hart_facts facts;
	uint64_t id;		      /* mhartid: what the firmware calls it */
	struct hatch_host_fp host_fp; /* put aside by the last call into a box */
	/* What the timer is for, host ticks: see alarm.c. */
	uint64_t alarm, deadline, programmed;
	uint64_t vmid_generation;
	uint32_t vmid_next;
	_Alignas(16) uint8_t emergency[HART_EMERGENCY_STACK];
};

struct hatch_hart *hatch_hart_this(void);

/*
 * Nobody brings the vcpu back when a run on this hart is over: neither a try that a handler of
 * its own runs, nor one that was begun while it rested here. Who it had interrupted comes instead.
 */
void hatch_hart_forget(const struct hatch_vcpu *vcpu);

/* alarm.c: the running try's deadline in the vcpu's time; HATCH_NEVER: none. */
void hatch_hart_deadline(const struct hatch_vcpu *vcpu, uint64_t deadline);
/* Whether the host's own alarm has gone off. */
bool hatch_hart_alarm_is_due(void);

/* hart.c: interrupts the hart, whatever it does, so that it looks into its vcpu's post. */
void hatch_hart_kick(const struct hatch_hart *hart);
/* That interrupt is here: no more. */
void hatch_hart_kick_end(void);
/* The current vcpu's pending interrupts, and what it has cached: of this hart. */
void hatch_hart_hvip(uint64_t set, uint64_t clear);
void hatch_hart_fence(const struct hatch_fence *fence);

/* enter.S */
int hatch_enter(struct hatch_vcpu *vcpu);
void hatch_vector(void);
int hatch_fetch_parcel(uint64_t gva, uint16_t *out);
void hatch_fp_store(struct hatch_vcpu *vcpu);
void hatch_fp_load(struct hatch_vcpu *vcpu);

void hatch_host_fp_store(uint64_t to[13]);
void hatch_host_fp_load(const uint64_t from[13]);

/* vcpu_hw.c: the vcpu's registers between memory and hardware */
void hatch_vcpu_load(struct hatch_vcpu *vcpu);
void hatch_vcpu_put(struct hatch_vcpu *vcpu);
void hatch_vcpu_fp_save(struct hatch_vcpu *vcpu);
/* Tells the current guest that its floating-point registers changed. */
void hatch_vcpu_fp_dirty(void);
void hatch_vcpu_host_fp_save(struct hatch_host_fp *host);
void hatch_vcpu_host_fp_restore(struct hatch_vcpu *vcpu, const struct hatch_host_fp *host);
int hatch_vcpu_run(struct hatch_vcpu *vcpu);
void hatch_vcpu_inject(struct hatch_vcpu *vcpu, uint64_t cause, uint64_t tval);
void hatch_vcpu_trap(struct hatch_trap *trap);
/* Whether the guest stands where only the host's own trap vector is: see HATCH_EFIRMWARE. */
bool hatch_vcpu_is_lost(const struct hatch_vcpu *vcpu);
/* Puts the CSRs back after another trap in between. */
void hatch_vcpu_set_trap(const struct hatch_trap *trap);
uint32_t hatch_vcpu_fetch(const struct hatch_vcpu *vcpu);

#endif
