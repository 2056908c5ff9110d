/* SPDX-License-Identifier: MIT */
/*
 * An event: what a program threw when it left guest mode, decoded.
 */
#ifndef HATCH_EVENT_H
#define HATCH_EVENT_H

#include <hatch/insn.h>
#include <hatch/vcpu.h>

/* Why the guest left. HATCH_ANY is for clauses only: no event has that kind. */
enum hatch_kind {
	HATCH_HYPERCALL,  /* ecall from VS-mode */
	HATCH_SYSCALL,	  /* ecall from VU-mode */
	HATCH_MMIO,	  /* load or store outside all regions */
	HATCH_PAGE,	  /* access to a region whose page is missing or has fewer rights */
	HATCH_ILLEGAL,	  /* illegal instruction */
	HATCH_CSR,	  /* CSR instruction that the hypervisor has to answer */
	HATCH_WFI,	  /* wait for interrupt, or by Zawrs for a store of another hart */
	HATCH_BREAKPOINT, /* ebreak */
	HATCH_FAULT,	  /* every other exception, by cause */
	HATCH_INTERRUPT,  /* an interrupt of the host itself */
	HATCH_DEADLINE,	  /* the try's time is up: hatch_try.deadline */
	HATCH_ANY,
	HATCH_KINDS = HATCH_ANY,
};

enum hatch_access {
	HATCH_LOAD,
	HATCH_STORE,
	HATCH_FETCH,
};

/*
 * One event. Handed to clauses as const; valid until its continuation is answered and the try
 * goes on. `length` is the trapped instruction's length in bytes: 0 when there is none (an
 * interrupt, a fetch) or when it could not be read; RESUME and SKIP need it.
 */
struct hatch_event {
	enum hatch_kind kind;
	uint8_t length;
	union {
		struct { /* and HATCH_SYSCALL: `extension` is then the number in a7 */
			uint64_t extension;  /* a7 */
			uint64_t function;   /* a6 */
			const uint64_t *arg; /* a0 to a7: arg[0] to arg[7] */
		} hypercall;
		struct {
			hatch_gpa gpa;
			uint64_t offset; /* bytes from the start of the clause's range */
			uint64_t value;	 /* of a store: `width` bytes, zero-extended */
			union {
				struct {
					uint8_t width; /* bytes: 1, 2, 4, 8 */
					bool write;
					bool sign; /* of a load: the answer is sign-extended */
					bool fp;   /* the register is a floating-point one */
				};
				uint32_t shape; /* the four in one word, for quick copies */
			};
			uint8_t rd; /* of a load; the framework's own: not always set */
		} mmio;
		struct {
			hatch_gpa gpa;
			enum hatch_access access; /* what the guest wanted to do */
			bool walk;  /* met by the walk of the guest's own page table for it */
			bool write; /* it takes the right to write to mend it */
		} page;
		struct {
			uint32_t encoding; /* 0 when it could not be read */
		} illegal;
		struct {
			uint16_t number;
			bool read, write; /* what the instruction would do to the CSR */
			enum hatch_insn_csr_op op;
			uint64_t operand; /* rs1's value or the immediate */
			uint8_t rd;
		} csr;
		struct {
			bool store; /* WRS.NTO: a spinning program; it ends with a store, too */
		} wfi;
		struct {
			uint64_t cause; /* CAUSE_... */
			uint64_t tval;	/* stval */
			hatch_gpa gpa;	/* of a guest-page fault, else 0 */
		} fault;
		struct {
			unsigned int irq; /* IRQ_S_... */
		} interrupt;
		struct {
			uint64_t ticks; /* the deadline that has passed, guest time */
		} deadline;
	};
};

/* The registers of a trap as the hardware left them (18.2.12, 18.6.3). */
struct hatch_trap {
	uint64_t scause, stval, htval, htinst;
};

/*
 * Decodes a trap. `fetched` is the trapped instruction where `trap->htinst` or `stval` do not
 * tell it: raw bits, zero-extended; 0 when it could not be read. Pure: reads `vcpu->frame`
 * and the guest's regions, changes nothing but *ev.
 */
void hatch_event_decode(struct hatch_event *ev, const struct hatch_trap *trap,
			const struct hatch_vcpu *vcpu, uint32_t fetched);

/* Whether hatch_event_decode would need `fetched` for this trap. Pure. */
bool hatch_event_needs_fetch(const struct hatch_trap *trap, const struct hatch_vcpu *vcpu);

/* The key by which clauses of ev's kind are chosen: EID, gpa, CSR number, cause, irq. */
uint64_t hatch_event_key(const struct hatch_event *ev);

/* "hypercall", "mmio", ...; never NULL. */
const char *hatch_kind_name(enum hatch_kind kind);

/*
 * One line about the event, without a newline, into `line`; always terminated. Returns line.
 */
char *hatch_event_format(const struct hatch_event *ev, char *line, size_t size);

#endif
