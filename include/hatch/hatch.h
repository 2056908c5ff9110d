/* SPDX-License-Identifier: MIT */
/* All of the framework's API. Stock clauses: hatch/handlers/. The machine: hatch/board.h. */
#ifndef HATCH_HATCH_H
#define HATCH_HATCH_H

#include <hatch/hart.h>
#include <hatch/try.h>

#endif
