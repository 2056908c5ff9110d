/* SPDX-License-Identifier: MIT */
#ifndef HATCH_CORE_CONFINE_H
#define HATCH_CORE_CONFINE_H

#include <hatch/try.h>

/*
 * Chooses what the guest may do without us: what no clause of the try's scopes asks for is
 * delegated and costs no exit (Privileged ISA 20240411, 18.2.1, 18.2.2, 18.2.4, 18.2.5).
 */
void hatch_confine(struct hatch_try *t);

#endif
