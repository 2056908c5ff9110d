/* SPDX-License-Identifier: MIT */
/*
 * A stock clause: a guest ends itself with Hatch's own call HATCH_EXIT (abi.h).
 */
#ifndef HATCH_HANDLERS_EXIT_H
#define HATCH_HANDLERS_EXIT_H

#include <hatch/abi.h>
#include <hatch/catch.h>

/* Finishes the try with the guest's a0 as its status; ignores its argument. */
hatch_handler hatch_on_exit;

#define HATCH_ON_EXIT() HATCH_ON_HYPERCALL_FUNCTION(HATCH_EID, HATCH_EXIT, hatch_on_exit, NULL)

#endif
