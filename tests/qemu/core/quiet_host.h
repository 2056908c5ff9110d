/* SPDX-License-Identifier: MIT */
/* For checks with a stock machine: a host whose console says and hears nothing. */
#ifndef TEST_QUIET_HOST_H
#define TEST_QUIET_HOST_H

#include <hatch/handlers/machine.h>

struct hatch_machine_host quiet_host(void);

#endif
