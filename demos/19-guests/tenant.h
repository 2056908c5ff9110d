/* SPDX-License-Identifier: MIT */
/* One of the machines that share the harts: what it was given, and its life. */
#ifndef DEMO_GUESTS_TENANT_H
#define DEMO_GUESTS_TENANT_H

#include <hatch/handlers/machine.h>
#include <hatch/sched.h>

enum { GUESTS_MOST = 16 };

struct guest {
	char name[32];
	unsigned int number; /* of `hatch boot --guests`, from 0 on */
	unsigned int harts;
	struct hatch_share share;
	struct hatch_guest memory;
	struct hatch_machine machine;
	struct hatch_vcpu vcpu[HATCH_MACHINE_HARTS];
	struct hatch_sbi_hart hart[HATCH_MACHINE_HARTS];
	struct hatch_try t[HATCH_MACHINE_HARTS];
	struct hatch_task task[HATCH_MACHINE_HARTS];
	unsigned int alive;	     /* tasks; atomic */
	unsigned int first, devices; /* of the board's: its first, and how many it has */
	const char *append;
	bool over;
	int status;
};

/* Those that there are, in the order of the file. */
extern struct guest guests[GUESTS_MOST];
extern unsigned int guests_count;

/* Makes the guest from what the user gave it, and its tasks. Gives up when that cannot be done. */
void guest_start(struct guest *guest, struct hatch_sched *sched);

/* A device of the board interrupts. */
void guests_interrupt(unsigned int device);

/* A table of who has had how much, for the console. */
void guests_print_status(void);

#endif
