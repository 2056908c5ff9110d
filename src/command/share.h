/* SPDX-License-Identifier: MIT */
/* --share DIR:TAG[:ro]: a folder of ours in the guest, by 9p. */
#ifndef HATCH_COMMAND_SHARE_H
#define HATCH_COMMAND_SHARE_H

#include "options.h"
#include "plug.h"

/*
 * The folder of the INDEX-th value in LIST, the machine's NUMBER-th. Ends the program with status 2 if a word is wrong (a tag
 * that an earlier one has is), with 125 if the folder cannot serve.
 */
struct hatch_plug hatch_share_plug(const struct hatch_list *list, size_t index, size_t number);

#endif
