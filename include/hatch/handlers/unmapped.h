/* SPDX-License-Identifier: MIT */
/*
 * What a machine answers where nothing is: an access fault for an address, the guest's own
 * exception for an instruction. The clause for the outermost scope.
 */
#ifndef HATCH_HANDLERS_UNMAPPED_H
#define HATCH_HANDLERS_UNMAPPED_H

#include <hatch/catch.h>

/*
 * Raises the access fault of an mmio event in the guest, as a bus does for an address without a
 * device. For handlers of devices too: the answer to a width that the device does not have.
 */
enum hatch_verdict hatch_inject_access_fault(const struct hatch_event *ev, struct hatch_cont *k);

/*
 * A clause that sends back to the guest what no other clause took: access faults for mmio and
 * page events and for guest-page faults, illegal instruction for CSRs and other virtual
 * instructions, every other exception as it is. Passes hypercalls, interrupts and a WFI of
 * VS-mode. It catches HATCH_ANY, and so it asks for nothing: what the hardware can give to the
 * guest directly still goes there. One for each scope; it belongs in the outermost one.
 */
struct hatch_catch hatch_unmapped_clause(void);

#endif
