/* SPDX-License-Identifier: MIT */
/*
 * The guest's device tree, made from that of the real machine: what the guest may use, described
 * as the machine describes it; what it may not use, left out. (Devicetree Specification 0.4)
 */
#ifndef HATCH_HANDLERS_TREE_H
#define HATCH_HANDLERS_TREE_H

#include <hatch/types.h>

/* Room that the tree of a usual guest needs, bytes. */
#define HATCH_TREE_ROOM		      65536

/* The phandle of a hart's local interrupt controller, which a PLIC's node refers to. */
#define HATCH_TREE_INTC_PHANDLE(hart) ((uint32_t)(hart) + 1)

/* The phandle of the hart itself. Those of devices are to stay below. */
#define HATCH_TREE_CPU_PHANDLE(hart)  ((uint32_t)(hart) + 0x10000)

struct hatch_tree {
	const void *host;	 /* the real machine's tree */
	unsigned int harts;	 /* of the guest: ids 0 to harts - 1 */
	uint64_t henvcfg;	 /* HENVCFG_...: what of the environment the guest may configure */
	const char *emulated;	 /* extensions that clauses make up for: "zba,zbb"; NULL: none */
	hatch_gpa ram;		 /* its RAM */
	uint64_t ram_size;	 /* bytes */
	hatch_gpa initrd;	 /* its initrd, if any */
	uint64_t initrd_size;	 /* bytes; 0: none */
	const char *bootargs;	 /* kernel command line; NULL: none */
	const char *stdout_path; /* "/soc/serial@10000000"; NULL: none */
	const void *seed;	 /* random bytes for the guest's generator; NULL: none */
	size_t seed_size;
	/*
	 * Adds the devices with libfdt's sequential functions (fdt_begin_node, ...) while the node
	 * /soc is open, of 2 address and 2 size cells. Returns 0 or a libfdt error. NULL: none.
	 */
	int (*devices)(void *arg, void *fdt);
	void *arg;
};

/*
 * Writes the tree to `fdt`, `room` bytes. Errors: HATCH_EFORMAT (the machine's own tree has no
 * usable cpu node: it is damaged or not of a RISC-V machine), HATCH_E2BIG (give more room),
 * HATCH_ENOTSUP (an emulated extension builds on one that the machine lacks: see hatch_isa_add),
 * HATCH_EINVAL (a devices function failed otherwise).
 */
int hatch_tree_build(const struct hatch_tree *tree, void *fdt, size_t room);

/* Longest list of extensions, bytes. */
#define HATCH_ISA_ROOM 1024

/*
 * The instruction set that a guest may use. `name` holds `size` bytes of NUL-terminated names
 * one after the other, in the canonical order of single letters: "i", "m", ..., "zicsr", ...
 */
struct hatch_isa {
	char name[HATCH_ISA_ROOM];
	size_t size;
};

/*
 * Filters what the machine has for what a guest with `henvcfg` may use. Only known extensions
 * pass: each one that adds state or control bits would have to be switched or enabled.
 * `names` as in struct hatch_isa. Errors: HATCH_E2BIG.
 */
int hatch_isa_filter(struct hatch_isa *isa, const char *names, size_t size, uint64_t henvcfg);

/* The same from a string as of the riscv,isa property. Errors: HATCH_EFORMAT (no "rv64"). */
int hatch_isa_parse(struct hatch_isa *isa, const char *string, uint64_t henvcfg);

/*
 * Adds extensions that are emulated, names with commas between, to what the machine has; one that
 * is there already stays as it is. "zcb" brings "zca" along, the part of C that needs no
 * floating-point registers, which older machines do not name. Errors: HATCH_E2BIG; HATCH_ENOTSUP
 * (zcb without c, zfa without f: leave it out of the list).
 */
int hatch_isa_add(struct hatch_isa *isa, const char *emulated);

/* Whether the extension is among them. */
bool hatch_isa_has(const struct hatch_isa *isa, const char *name);

/* "rv64imafdc_zicsr_..." into `string`. Errors: HATCH_E2BIG. */
int hatch_isa_string(const struct hatch_isa *isa, char *string, size_t room);

#endif
