/* SPDX-License-Identifier: MIT */
/* What plans are made of. */
#ifndef MODEL_PLAN_RANDOM_H
#define MODEL_PLAN_RANDOM_H

#include "plan.h"

/* The same numbers after the same seed. */
void plan_seed(uint64_t seed);
uint64_t plan_bits(void);
/* 0 to n - 1. */
int plan_below(int n);
bool plan_one_in(int n);
/* Signs and zeros where they matter. */
uint64_t plan_value(void);

void plan_make_guest(struct plan_event *events, uint8_t guest, const struct plan_limits *limits);

#endif
