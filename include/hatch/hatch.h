/* SPDX-License-Identifier: MIT */
/* All of the framework's API. Stock clauses: hatch/handlers/. The machine: hatch/board.h. */
#ifndef HATCH_HATCH_H
#define HATCH_HATCH_H

#include <hatch/call.h>
#include <hatch/clone.h>
#include <hatch/hart.h>
#include <hatch/snapshot.h>

#endif
