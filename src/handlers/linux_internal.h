/* SPDX-License-Identifier: MIT */
/*
 * What the files of the loader share.
 */
#ifndef HATCH_SRC_LINUX_INTERNAL_H
#define HATCH_SRC_LINUX_INTERNAL_H

#include <stdarg.h>

#include <hatch/handlers/linux.h>

/* Notes what is wrong, with what, and what to do; returns `error`. */
__attribute__((format(printf, 3, 4))) int hatch_load_fail(struct hatch_load *load, int error,
							  const char *format, ...);

/* Claims [at, at + size) below what was placed from the top. */
int hatch_load_place(struct hatch_load *load, const char *name, hatch_gpa at, uint64_t size);

/* Reads a part of the file, or says that it cannot be read. */
int hatch_load_read(struct hatch_load *load, const struct hatch_source *source, uint64_t offset,
		    void *to, size_t size);

/* Copies a part of the file, or zeroes, to guest RAM that has been claimed. */
int hatch_load_copy(struct hatch_load *load, const struct hatch_source *source, uint64_t offset,
		    hatch_gpa at, uint64_t size);
int hatch_load_clear(struct hatch_load *load, const char *name, hatch_gpa at, uint64_t size);

/*
 * The length of a kernel file by its PE section table, of which `start` holds the first `size`
 * bytes; 0 when it is no PE file. A table that goes on beyond them is read as far as it is there.
 */
uint64_t hatch_pe_file_size(const unsigned char *start, size_t size);

int hatch_elf_load(struct hatch_load *load, const struct hatch_source *source);

#endif
