/* SPDX-License-Identifier: MIT */
/*
 * Writes the guest's device tree, in one pass from the root to the last device.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libfdt.h>

#include <hatch/handlers/tree.h>

/*
 * A tree being written. The first error stays; after it nothing is written.
 */
struct writer {
	void *fdt;
	int error; /* libfdt's */
};

static void begin(struct writer *w, const char *name)
{
	if (!w->error)
		w->error = fdt_begin_node(w->fdt, name);
}

static void end(struct writer *w)
{
	if (!w->error)
		w->error = fdt_end_node(w->fdt);
}

static void bytes(struct writer *w, const char *name, const void *value, size_t size)
{
	if (!w->error)
		w->error = fdt_property(w->fdt, name, value, (int)size);
}

static void string(struct writer *w, const char *name, const char *value)
{
	bytes(w, name, value, strlen(value) + 1);
}

static void cell(struct writer *w, const char *name, uint32_t value)
{
	if (!w->error)
		w->error = fdt_property_u32(w->fdt, name, value);
}

static void address(struct writer *w, const char *name, uint64_t value)
{
	if (!w->error)
		w->error = fdt_property_u64(w->fdt, name, value);
}

static void range(struct writer *w, const char *name, uint64_t base, uint64_t size)
{
	const fdt64_t value[2] = { cpu_to_fdt64(base), cpu_to_fdt64(size) };

	bytes(w, name, value, sizeof(value));
}

static void cells(struct writer *w, uint32_t address_cells, uint32_t size_cells)
{
	cell(w, "#address-cells", address_cells);
	cell(w, "#size-cells", size_cells);
}

/* Facts of the real machine that the guest is told. */
struct facts {
	int cpu; /* the boot cpu's node */
	uint32_t timebase;
	struct hatch_isa isa;
	char isa_string[HATCH_ISA_ROOM];
};

static bool is_cpu(const void *host, int node)
{
	const char *type = fdt_getprop(host, node, "device_type", NULL);

	return type && !strcmp(type, "cpu");
}

/* The cpu that the firmware booted, or the first one if it does not say which. */
static int find_cpu(const void *host, int cpus)
{
	int node, first = -FDT_ERR_NOTFOUND;

	fdt_for_each_subnode(node, host, cpus)
	{
		int size;
		const fdt32_t *reg = fdt_getprop(host, node, "reg", &size);

		if (!is_cpu(host, node) || !reg || size < (int)sizeof(*reg))
			continue;
		if (fdt32_ld(reg + size / sizeof(*reg) - 1) == fdt_boot_cpuid_phys(host))
			return node;
		if (first < 0)
			first = node;
	}
	return first;
}

static bool get_timebase(const void *host, int node, uint32_t *timebase)
{
	int size;
	const void *value = fdt_getprop(host, node, "timebase-frequency", &size);

	if (!value || (size != 4 && size != 8))
		return false;
	*timebase = size == 4 ? fdt32_ld(value) : (uint32_t)fdt64_ld(value);
	return *timebase;
}

static int find_isa(struct facts *facts, const struct hatch_tree *tree)
{
	int size, error;
	const char *value = fdt_getprop(tree->host, facts->cpu, "riscv,isa-extensions", &size);

	if (value && size > 0 && !value[size - 1]) {
		error = hatch_isa_filter(&facts->isa, value, (size_t)size, tree->henvcfg);
	} else {
		value = fdt_getprop(tree->host, facts->cpu, "riscv,isa", &size);
		if (!value || size <= 0 || value[size - 1])
			return HATCH_EFORMAT;
		error = hatch_isa_parse(&facts->isa, value, tree->henvcfg);
	}
	if (!error && !hatch_isa_has(&facts->isa, "i"))
		error = HATCH_EFORMAT;
	if (!error && tree->emulated)
		error = hatch_isa_add(&facts->isa, tree->emulated);
	return error ? error
		     : hatch_isa_string(&facts->isa, facts->isa_string, sizeof(facts->isa_string));
}

static int find_facts(struct facts *facts, const struct hatch_tree *tree)
{
	int cpus;

	if (fdt_check_header(tree->host))
		return HATCH_EFORMAT;
	cpus = fdt_path_offset(tree->host, "/cpus");
	if (cpus < 0)
		return HATCH_EFORMAT;
	facts->cpu = find_cpu(tree->host, cpus);
	if (facts->cpu < 0)
		return HATCH_EFORMAT;
	if (!get_timebase(tree->host, cpus, &facts->timebase) &&
	    !get_timebase(tree->host, facts->cpu, &facts->timebase))
		return HATCH_EFORMAT;
	return find_isa(facts, tree);
}

/* A property of the real cpu as it stands there, if it is there. */
static void copy(struct writer *w, const struct hatch_tree *tree, int cpu, const char *name)
{
	int size;
	const void *value = fdt_getprop(tree->host, cpu, name, &size);

	if (value)
		bytes(w, name, value, (size_t)size);
}

static void write_intc(struct writer *w, unsigned int hart)
{
	begin(w, "interrupt-controller");
	string(w, "compatible", "riscv,cpu-intc");
	bytes(w, "interrupt-controller", NULL, 0);
	cell(w, "#interrupt-cells", 1);
	cell(w, "phandle", HATCH_TREE_INTC_PHANDLE(hart));
	end(w);
}

static void write_cpu(struct writer *w, const struct hatch_tree *tree, const struct facts *facts,
		      unsigned int hart)
{
	char name[16];

	snprintf(name, sizeof(name), "cpu@%x", hart);
	begin(w, name);
	string(w, "device_type", "cpu");
	string(w, "compatible", "riscv");
	string(w, "status", "okay");
	cell(w, "reg", hart);
	cell(w, "phandle", HATCH_TREE_CPU_PHANDLE(hart));
	string(w, "riscv,isa", facts->isa_string);
	string(w, "riscv,isa-base", "rv64i");
	bytes(w, "riscv,isa-extensions", facts->isa.name, facts->isa.size);
	copy(w, tree, facts->cpu, "mmu-type");
	if (hatch_isa_has(&facts->isa, "zicbom"))
		copy(w, tree, facts->cpu, "riscv,cbom-block-size");
	if (hatch_isa_has(&facts->isa, "zicboz"))
		copy(w, tree, facts->cpu, "riscv,cboz-block-size");
	if (hatch_isa_has(&facts->isa, "zicbop"))
		copy(w, tree, facts->cpu, "riscv,cbop-block-size");
	write_intc(w, hart);
	end(w);
}

/*
 * Harts of one cluster: a scheduler moves what it wakes to an idle one of them. Without a map Linux
 * takes each hart for a package of its own, which it is slow to move anything to.
 */
static void write_cpu_map(struct writer *w, unsigned int harts)
{
	char name[16];

	begin(w, "cpu-map");
	begin(w, "cluster0");
	for (unsigned int hart = 0; hart < harts; hart++) {
		snprintf(name, sizeof(name), "core%u", hart);
		begin(w, name);
		cell(w, "cpu", HATCH_TREE_CPU_PHANDLE(hart));
		end(w);
	}
	end(w);
	end(w);
}

static void write_cpus(struct writer *w, const struct hatch_tree *tree, const struct facts *facts)
{
	begin(w, "cpus");
	cells(w, 1, 0);
	cell(w, "timebase-frequency", facts->timebase);
	for (unsigned int hart = 0; hart < tree->harts; hart++)
		write_cpu(w, tree, facts, hart);
	write_cpu_map(w, tree->harts);
	end(w);
}

static void write_memory(struct writer *w, const struct hatch_tree *tree)
{
	char name[32];

	snprintf(name, sizeof(name), "memory@%" PRIx64, tree->ram.addr);
	begin(w, name);
	string(w, "device_type", "memory");
	range(w, "reg", tree->ram.addr, tree->ram_size);
	end(w);
}

static void write_chosen(struct writer *w, const struct hatch_tree *tree)
{
	begin(w, "chosen");
	if (tree->bootargs)
		string(w, "bootargs", tree->bootargs);
	if (tree->stdout_path)
		string(w, "stdout-path", tree->stdout_path);
	if (tree->initrd_size) {
		address(w, "linux,initrd-start", tree->initrd.addr);
		address(w, "linux,initrd-end", tree->initrd.addr + tree->initrd_size);
	}
	if (tree->seed)
		bytes(w, "rng-seed", tree->seed, tree->seed_size);
	end(w);
}

static void write_soc(struct writer *w, const struct hatch_tree *tree)
{
	begin(w, "soc");
	cells(w, 2, 2);
	string(w, "compatible", "simple-bus");
	bytes(w, "ranges", NULL, 0);
	if (!w->error && tree->devices)
		w->error = tree->devices(tree->arg, w->fdt);
	end(w);
}

static void write_root(struct writer *w, const struct hatch_tree *tree, const struct facts *facts)
{
	begin(w, "");
	cells(w, 2, 2);
	string(w, "compatible", "hatch,guest");
	string(w, "model", "hatch,guest");
	write_chosen(w, tree);
	write_memory(w, tree);
	write_cpus(w, tree, facts);
	write_soc(w, tree);
	end(w);
}

int hatch_tree_build(const struct hatch_tree *tree, void *fdt, size_t room)
{
	struct writer w = { .fdt = fdt };
	struct facts facts;
	int error = find_facts(&facts, tree);

	if (error)
		return error;
	w.error = fdt_create(fdt, room > INT32_MAX ? INT32_MAX : (int)room);
	if (!w.error)
		w.error = fdt_finish_reservemap(fdt);
	write_root(&w, tree, &facts);
	if (!w.error)
		w.error = fdt_finish(fdt);
	if (w.error == -FDT_ERR_NOSPACE)
		return HATCH_E2BIG;
	return w.error ? HATCH_EINVAL : HATCH_OK;
}
