/* SPDX-License-Identifier: MIT */
/* What a program on the machine is given besides its ELF file: see src/board/virt/blob.c. */
#ifndef HATCH_COMMAND_BLOB_H
#define HATCH_COMMAND_BLOB_H

#include "qemu.h"

/* Gives the program a text under NAME; nothing when VALUE is NULL or empty. */
void hatch_blob_give_text(struct hatch_run *run, const char *name, const char *value);

/* Gives it a file, in the machine's RAM; nothing when FILE is NULL or empty. */
void hatch_blob_give_file(struct hatch_run *run, const char *name, const char *file);

/* Gives it SIZE bytes of RAM at AT (host-physical) to leave something in. */
void hatch_blob_give_room(struct hatch_run *run, const char *name, uint64_t at, uint64_t size);

/* Bytes of RAM that the files given so far take, what is between them included. */
uint64_t hatch_blob_bytes(const struct hatch_run *run);

#endif
