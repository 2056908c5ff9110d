/* SPDX-License-Identifier: MIT */
/* --net user[,forward=PROTO:HOST:GUEST]...: a network of the guest's own behind ours. */
#ifndef HATCH_COMMAND_NET_H
#define HATCH_COMMAND_NET_H

#include <stddef.h>

#include "plug.h"

/*
 * The network of the option's value TEXT, which is not "none", the INDEX-th of the machine. Ends the program with status 2 if a
 * word is wrong, with 125 if a port cannot be had.
 */
struct hatch_plug hatch_net_plug(const char *text, size_t index);

#endif
