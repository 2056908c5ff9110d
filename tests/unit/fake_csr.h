/* SPDX-License-Identifier: MIT */
/*
 * Included before files of core that read CSRs, when they are compiled natively: fake_hart.h
 * answers.
 */
#ifndef FAKE_CSR_H
#define FAKE_CSR_H

#include <stdint.h>

uint64_t fake_csr(const char *name);

#define csr_read(name) fake_csr(#name)

#endif
