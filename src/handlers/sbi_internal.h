/* SPDX-License-Identifier: MIT */
/*
 * What the files of the SBI share.
 */
#ifndef HATCH_SRC_SBI_INTERNAL_H
#define HATCH_SRC_SBI_INTERNAL_H

#include <hatch/handlers/sbi.h>

hatch_handler hatch_sbi_on_base, hatch_sbi_on_time, hatch_sbi_on_ipi, hatch_sbi_on_rfence,
	hatch_sbi_on_hsm, hatch_sbi_on_srst, hatch_sbi_on_dbcn, hatch_sbi_on_susp,
	hatch_sbi_on_legacy, hatch_sbi_on_rest;

/* SRST's reset reasons above this are reserved or somebody's own: system failure. */
#define HATCH_SBI_REASON_MAX 1U

/* Answers a call with an error, or with success and a value. */
static inline enum hatch_verdict hatch_sbi_error(struct hatch_cont *k, enum sbi_error error)
{
	return hatch_resume_pair(k, (uint64_t)(int64_t)error, 0);
}

static inline enum hatch_verdict hatch_sbi_value(struct hatch_cont *k, uint64_t value)
{
	return hatch_resume_pair(k, SBI_SUCCESS, value);
}

/* The guest's hart of that id, or NULL. */
struct hatch_sbi_hart *hatch_sbi_find(const struct hatch_sbi *sbi, uint64_t hart_id);

/* Whether every hart but that of `vcpu` is stopped. */
bool hatch_sbi_is_alone(const struct hatch_sbi *sbi, const struct hatch_vcpu *vcpu);

static inline enum sbi_hart_state hatch_sbi_state_of(const struct hatch_sbi_hart *hart)
{
	return (enum sbi_hart_state)__atomic_load_n(&hart->state, __ATOMIC_SEQ_CST);
}

static inline void hatch_sbi_set_state(struct hatch_sbi_hart *hart, enum sbi_hart_state state)
{
	__atomic_store_n(&hart->state, (int)state, __ATOMIC_SEQ_CST);
}

/*
 * Has the harts of a mask (SBI 2.0, 3.1) obey a fence, or sends them an interrupt when `fence` is
 * NULL: bit n of `mask` is hart base + n; base UINT64_MAX: all harts. Nobody is told anything when
 * a hart of the mask does not exist: SBI_ERR_INVALID_PARAM.
 */
enum sbi_error hatch_sbi_broadcast(const struct hatch_sbi *sbi, uint64_t mask, uint64_t base,
				   const struct hatch_fence *fence);

/*
 * The calling hart sleeps, for others to see, until an interrupt that it has enabled waits for it
 * (true), or one is for the host first: then the call is to be made again.
 */
bool hatch_sbi_sleep(struct hatch_sbi_hart *self);

/* Whether a hart of the guest can begin to run at the guest-physical address. */
bool hatch_sbi_is_start(struct hatch_guest *guest, uint64_t addr);

/* Whether start and size name a range of addresses that does not run over the end. */
bool hatch_sbi_is_range(uint64_t start, uint64_t size);

/* Starts the calling hart afresh at `addr` with a1 = opaque. */
enum hatch_verdict hatch_sbi_restart(struct hatch_cont *k, uint64_t addr, uint64_t opaque);

/* Fills sbi->state. */
void hatch_sbi_state_init(struct hatch_sbi *sbi);

/* Ends the guest's try as the guest wishes; of several harts the first wish counts. */
enum hatch_verdict hatch_sbi_reset(struct hatch_sbi *sbi, struct hatch_cont *k,
				   enum hatch_reset_kind kind, uint32_t reason);

/*
 * Reads a word at a guest-virtual address with the rights of the guest's S-mode. On failure 0,
 * `*value` untouched, and *cause the exception that the guest should see.
 */
bool hatch_sbi_load(const struct hatch_vcpu *vcpu, hatch_gva gva, uint64_t *value, uint64_t *cause);

#endif
