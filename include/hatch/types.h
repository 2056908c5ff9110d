/* SPDX-License-Identifier: MIT */
/*
 * The words that every other header uses: the three address spaces and the errors.
 */
#ifndef HATCH_TYPES_H
#define HATCH_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A number is an address only together with the space that it lives in. Mixing two spaces up is
 * the classic fault of a hypervisor, so each has its own type and the compiler finds the mix-up.
 */
typedef struct {
	uint64_t addr; /* guest-physical: what the guest believes to be physical memory */
} hatch_gpa;

typedef struct {
	uint64_t addr; /* host-physical: the real machine's memory */
} hatch_hpa;

typedef struct {
	uint64_t addr; /* guest-virtual: translated by the guest's own vsatp first */
} hatch_gva;

static inline hatch_gpa hatch_gpa_of(uint64_t addr)
{
	return (hatch_gpa){ addr };
}

static inline hatch_hpa hatch_hpa_of(uint64_t addr)
{
	return (hatch_hpa){ addr };
}

static inline hatch_gva hatch_gva_of(uint64_t addr)
{
	return (hatch_gva){ addr };
}

#define HATCH_PAGE_SHIFT 12
#define HATCH_PAGE_SIZE	 ((uint64_t)1 << HATCH_PAGE_SHIFT) /* bytes */

/* A point in time that never comes, ticks. */
#define HATCH_NEVER	 UINT64_MAX

/*
 * Functions that can fail return 0 or one of these, always negative. Each comes with its remedy.
 */
enum hatch_error {
	HATCH_OK = 0,
	/* An argument makes no sense (NULL, a size of 0, a misaligned address). Mend the call. */
	HATCH_EINVAL = -1,
	/* The memory that the caller supplied is used up. Give more, or free something. */
	HATCH_ENOMEM = -2,
	/* Two clauses, regions or mappings claim the same key. The conflict is named: move one. */
	HATCH_EOVERLAP = -3,
	/* The continuation was answered before, or no event is pending. Answer each event once. */
	HATCH_ESTALE = -4,
	/* The scope is in force in a running try. Add clauses before the try starts. */
	HATCH_ESEALED = -5,
	/* The verdict makes no sense for this event, or the clause did not declare it in `may`. */
	HATCH_EVERDICT = -6,
	/* The machine or this build lacks what was asked for. The message says which. */
	HATCH_ENOTSUP = -7,
	/* The address is not mapped, or not with these rights. Map it first. */
	HATCH_EFAULT = -8,
	/* The object is in use (a try that is running, a guest with live vcpus). Stop it first. */
	HATCH_EBUSY = -9,
	/* Nothing of that name or key. Check the spelling. */
	HATCH_ENOENT = -10,
	/* The image is damaged or of a foreign format. Rebuild or fetch it again. */
	HATCH_EFORMAT = -11,
	/* The data is larger than the room for it. Give more room, or less data. */
	HATCH_E2BIG = -12,
	/*
	 * An illegal instruction of the guest was lost between firmware and host: mstatus.MPV cannot
	 * be cleared on this machine (QEMU 10.0.13 and 11.1). Use another QEMU.
	 */
	HATCH_EFIRMWARE = -13,
};

/* The error's name ("HATCH_EOVERLAP"); "HATCH_E?" for a number that is none. Never NULL. */
const char *hatch_error_name(int error);

/* What went wrong and what to do about it, one sentence without a full stop. Never NULL. */
const char *hatch_error_text(int error);

#endif
