/* SPDX-License-Identifier: MIT */
/* The one place that runs QEMU. */
#ifndef HATCH_COMMAND_QEMU_H
#define HATCH_COMMAND_QEMU_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

/* What the user may choose about the machine. NULL or 0: the default. */
struct hatch_machine {
	const char *cpu;	     /* "rv64" */
	const char *memory;	     /* of the guest or the program, with its unit: "512M" */
	const char *qemu;	     /* program */
	const char *firmware;	     /* M-mode firmware in place of QEMU's own */
	const char *timeout;	     /* seconds */
	struct hatch_list arguments; /* QEMU's own, last on its command line */
	bool debug;		     /* wait for gdb */
};

/* Rows of an option table (see options.h) that fill a struct hatch_machine. */
#define HATCH_MACHINE_OPTIONS(machine)                                                             \
	{ "--memory", "SIZE", "RAM, with a unit: 512M, 1G", HATCH_OPTION_TEXT,                     \
	  &(machine)->memory },                                                                    \
		{ "--cpu", "MODEL", "QEMU's CPU model and properties (default: rv64)",             \
		  HATCH_OPTION_TEXT, &(machine)->cpu },                                            \
		{ "--qemu", "FILE", "the QEMU to run (default: qemu-system-riscv64)",              \
		  HATCH_OPTION_TEXT, &(machine)->qemu },                                           \
		{ "--qemu-arg", "ARG", "one more word for QEMU; may be repeated",                  \
		  HATCH_OPTION_LIST, &(machine)->arguments },                                      \
		{ "--firmware", "FILE", "M-mode firmware (default: QEMU's OpenSBI)",               \
		  HATCH_OPTION_TEXT, &(machine)->firmware },                                       \
	{                                                                                          \
		"--timeout", "SEC", "give up after SEC seconds, with exit code 124",               \
			HATCH_OPTION_TEXT, &(machine)->timeout                                     \
	}

/* One run. */
struct hatch_run {
	const struct hatch_machine *machine;
	const char *program;	 /* board ELF */
	uint64_t memory;	 /* of the whole machine, bytes */
	const char *arguments;	 /* the program's own command line, or NULL */
	struct hatch_list extra; /* arguments ahead of the user's */
	uint64_t files;		 /* bytes of RAM that files take: blob.h */
	unsigned int cpus;	 /* processors; 0: 1 */
	bool devices;		 /* it has virtio devices */
	unsigned int slots;	 /* of them, that are taken: devices.h */
	int ram;		 /* a file that is the machine's RAM; 0: none */
	bool batch;		 /* a --exec: see relay.h; output starts when the guest is ready */
	bool wait_ready;	 /* the guest will say when it is, and input waits for that */
	bool verbose;		 /* show all from the board's marker on */
};

/*
 * Bytes of `OPTION TEXT`. Ends the program with status 2 if the text is no size, or one below LEAST
 * bytes.
 */
uint64_t hatch_size_parse(const char *option, const char *text, uint64_t least);

/*
 * Bytes of `--memory TEXT` (FALLBACK if NULL). Ends the program with status 2 if the text is no
 * size, or one below LEAST bytes.
 */
uint64_t hatch_memory_parse(const char *text, const char *fallback, uint64_t least);

/* TEXT as the value in one of QEMU's comma-separated lists. */
char *hatch_qemu_quote(const char *text);

/* Ends the program with status 125 unless FILE is a readable file; WHAT names it. */
void hatch_file_check(const char *what, const char *file);

/* The path of the QEMU that MACHINE means; NULL if there is none. */
char *hatch_qemu_find(const struct hatch_machine *machine);

/* The same, but ends the program with status 127 and what to install if there is none. */
char *hatch_qemu_need(const struct hatch_machine *machine);

/*
 * Runs the machine to its end with the serial line on standard input and output. Returns the
 * exit status for the command: the guest's own, or one of enum hatch_status.
 */
int hatch_qemu_run(const struct hatch_run *run);

#endif
