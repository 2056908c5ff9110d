/* SPDX-License-Identifier: MIT */
/* Makes a plan smaller while the framework still differs from the model. */
#ifndef MODEL_SHRINK_H
#define MODEL_SHRINK_H

#include "plan.h"

/* Carries the plan out both ways. */
bool shrink_differs(const struct plan *plan);

void shrink(struct plan *plan);

/* Both traces of the plan, up to where they differ. */
void shrink_show(const struct plan *plan);

/* One line: what the plans so far were like. */
void shrink_summary(void);

#endif
