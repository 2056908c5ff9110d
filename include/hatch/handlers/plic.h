/* SPDX-License-Identifier: MIT */
/*
 * The platform-level interrupt controller, as a clause.
 *
 * RISC-V PLIC specification 1.0.0, with level-triggered sources: a gateway forwards a request,
 * then waits for its completion before it looks at the level again. A request that was forwarded
 * stays pending even if the level falls. 32-bit accesses only; what is reserved reads 0 and
 * ignores writes.
 */
#ifndef HATCH_HANDLERS_PLIC_H
#define HATCH_HANDLERS_PLIC_H

#include <hatch/catch.h>
#include <hatch/handlers/window.h>
#include <hatch/lock.h>

#define HATCH_PLIC_SIZE		0x600000 /* bytes of guest-physical address space */
#define HATCH_PLIC_SOURCES	127	 /* at most; source 0 does not exist */
#define HATCH_PLIC_CONTEXTS	64	 /* at most */
#define HATCH_PLIC_WORDS	4	 /* of one bit for each source */
#define HATCH_PLIC_PRIORITY_MAX 7
#define HATCH_PLIC_WINDOWS	2 /* the pages with the enable bits of all contexts */

struct hatch_plic_context {
	uint32_t enable[HATCH_PLIC_WORDS];
	uint32_t threshold;
	bool output; /* what the sink was told last */
};

/*
 * The user owns it and fills `output` and `arg` after hatch_plic_init. `lock` guards all that
 * follows `contexts`, taken by the clause, the state and the functions below: sources change, and
 * contexts are served, on any hart.
 * Invariants: bit 0 and bits beyond `sources` are 0 in every set; a source is not both pending and
 * in service; one whose level is high is pending or in service; a context's `output` is high
 * exactly if an enabled source is pending with a priority above the context's threshold.
 */
struct hatch_plic {
	/*
	 * Told when the interrupt line to a context changes; NULL for none. It is called with the
	 * lock held, so that it hears the changes in their order: hatch_vcpu_raise and
	 * hatch_vcpu_lower may be called there, nothing of the PLIC.
	 */
	void (*output)(void *arg, unsigned int context, bool level);
	void *arg;
	unsigned int sources, contexts;
	struct hatch_lock lock;
	uint32_t priority[HATCH_PLIC_SOURCES + 1];
	uint32_t level[HATCH_PLIC_WORDS];   /* what the devices say */
	uint32_t pending[HATCH_PLIC_WORDS]; /* requests that wait to be claimed */
	uint32_t service[HATCH_PLIC_WORDS]; /* claimed, not yet completed */
	struct hatch_plic_context context[HATCH_PLIC_CONTEXTS];
	struct hatch_window window[HATCH_PLIC_WINDOWS];
	struct hatch_catch clause;
	/* All but what the sinks are. When it is put back, `output` is told every level anew. */
	struct hatch_state state;
};

/*
 * A PLIC after reset at guest-physical `base`, with sources 1 to `sources`. Add plic->clause to a
 * scope, and plic->state if the guest may be cloned, rolled back or saved. On the usual machines
 * context 2h is hart h's M-mode and context 2h+1 its S-mode.
 * Errors: HATCH_EINVAL (no sources or contexts, or more than the limits above).
 */
int hatch_plic_init(struct hatch_plic *plic, hatch_gpa base, unsigned int sources,
		    unsigned int contexts);

/*
 * Lets `guest` (borrowed) read the enable bits without an event: Linux looks at them at the end of
 * every interrupt. window.h says when a guest cannot have this, and how the state has to do with it.
 * Without memory there is no window. Call it once, ahead of the first run, and hatch_plic_fini in
 * the end.
 */
void hatch_plic_add_windows(struct hatch_plic *plic, struct hatch_guest *guest);

/* Takes the windows back, before the guest ends. Harmless without. */
void hatch_plic_fini(struct hatch_plic *plic);

/* As after power-on; levels stay what the devices say. Call it when the guest is restarted. */
void hatch_plic_reset(struct hatch_plic *plic);

/* A device raises or lowers its line. A source that does not exist is ignored. */
void hatch_plic_set(struct hatch_plic *plic, unsigned int source, bool level);

/* One source as a device's `line` sink: device.line = hatch_plic_line, device.line_arg = &it. */
struct hatch_plic_line {
	struct hatch_plic *plic;
	unsigned int source;
};

void hatch_plic_line(void *line, bool level);

/*
 * Writes the node into a tree that is being written with libfdt's sequential calls, within a bus
 * node of two address and two size cells. `phandle` will be the PLIC's; intc[context] is the
 * phandle of the interrupt controller of the context's hart, and mode[context] the interrupt
 * there: IRQ_S_EXT, or UINT32_MAX for a context that the guest cannot use.
 * Errors: those of libfdt (negative).
 */
int hatch_plic_fdt(const struct hatch_plic *plic, void *fdt, uint32_t phandle, const uint32_t *intc,
		   const uint32_t *mode);

#endif
