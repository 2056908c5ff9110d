/* SPDX-License-Identifier: MIT */
/*
 * The test finisher: a word of memory by which a guest ends or restarts its machine. The clause
 * finishes the try; the finisher then tells what the guest wanted.
 */
#ifndef HATCH_HANDLERS_FINISHER_H
#define HATCH_HANDLERS_FINISHER_H

#include <hatch/catch.h>
#include <hatch/lock.h>

#define HATCH_FINISHER_SIZE 0x1000 /* bytes of guest-physical address space */

/* What a guest writes: the low 16 bits are the request, the high ones the code of a failure. */
#define FINISHER_PASS	    0x5555
#define FINISHER_FAIL	    0x3333
#define FINISHER_RESET	    0x7777

enum hatch_finisher_request {
	HATCH_FINISHER_NONE, /* the try ended for another reason */
	HATCH_FINISHER_PASS,
	HATCH_FINISHER_FAIL,
	HATCH_FINISHER_RESET, /* the guest wants to start again */
};

/*
 * The user owns it. `lock` guards `request` and `code`: any hart of the guest may write. Of several
 * requests the first counts, until a reset.
 * Invariants: `code` is 0 except after a failure, and then from 1 to 65535.
 */
struct hatch_finisher {
	struct hatch_lock lock;
	enum hatch_finisher_request request;
	unsigned int code;
	struct hatch_catch clause;
	struct hatch_state state; /* `request` and `code` */
};

/*
 * A finisher at guest-physical `base`. Add finisher->clause to a scope, and finisher->state if the
 * guest may be cloned, rolled back or saved. A request finishes the
 * try with the code as its status: 0 unless the guest failed; a failure with code 0 counts as 1,
 * so that it is not taken for a success.
 */
void hatch_finisher_init(struct hatch_finisher *finisher, hatch_gpa base);

/* Forgets the last request. Call it when the guest is restarted. */
void hatch_finisher_reset(struct hatch_finisher *finisher);

/*
 * Writes the node, and the nodes for power-off and reboot that point to it by `phandle`, into a
 * tree that is being written with libfdt's sequential calls, within a bus node of two address and
 * two size cells. Errors: those of libfdt (negative).
 */
int hatch_finisher_fdt(const struct hatch_finisher *finisher, void *fdt, uint32_t phandle);

#endif
