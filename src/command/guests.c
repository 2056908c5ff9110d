/* SPDX-License-Identifier: MIT */
/* The format is libconfig's: docs/guests.md has an example of all that can be said. */
#include "guests.h"

#include <string.h>

#include <libconfig.h>

#include "blob.h"
#include "devices.h"
#include "linux.h"
#include "report.h"

enum {
	GUESTS_MOST = 16,
	NAME_MOST = 31,
	WEIGHT_MOST = 10000,
	CPUS_MOST = 8,
	/* The host's own share: firmware, the board, what it keeps of each guest. */
	MEMORY_HOST = 64 << 20,
	MEMORY_EACH = 4 << 20,
};

struct guest {
	const char *name, *kernel, *initrd, *append;
	uint64_t memory; /* bytes */
	unsigned int cpus, weight;
	uint64_t pin; /* a bit for each hart; 0: all */
	struct hatch_devices devices;
};

/* What is being read, for messages. */
static struct {
	const char *file;
	unsigned int harts;
} reading;

static _Noreturn void refuse(const config_setting_t *at, const char *problem)
{
	hatch_report_fail(HATCH_EXIT_USAGE, "%s:%u: %s: %s", reading.file,
			  config_setting_source_line(at), config_setting_name(at) ?: "a guest",
			  problem);
}

/* ---- Values ---- */

static const char *text_of(const config_setting_t *at)
{
	const char *text = config_setting_get_string(at);

	if (!text || !*text)
		refuse(at, "not a text: put it between quotes");
	return hatch_text_format("%s", text);
}

static unsigned int number_of(const config_setting_t *at, unsigned int least, unsigned int most)
{
	int number = config_setting_get_int(at);

	if (config_setting_type(at) != CONFIG_TYPE_INT || number < (int)least || number > (int)most)
		refuse(at, hatch_text_format("not a whole number from %u to %u", least, most));
	return (unsigned int)number;
}

static void take_name(struct guest *guest, const config_setting_t *at)
{
	guest->name = text_of(at);
	if (strlen(guest->name) > NAME_MOST)
		refuse(at, hatch_text_format("longer than %d characters", NAME_MOST));
	for (const char *c = guest->name; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '|')
			refuse(at, "only letters, digits and signs, and no |, please");
}

static void take_kernel(struct guest *guest, const config_setting_t *at)
{
	guest->kernel = text_of(at);
	hatch_file_check("kernel", guest->kernel);
}

static void take_initrd(struct guest *guest, const config_setting_t *at)
{
	guest->initrd = text_of(at);
	hatch_file_check("initrd", guest->initrd);
}

static void take_append(struct guest *guest, const config_setting_t *at)
{
	guest->append = text_of(at);
}

static void take_memory(struct guest *guest, const config_setting_t *at)
{
	const char *option =
		hatch_text_format("%s:%u: memory", reading.file, config_setting_source_line(at));

	guest->memory = hatch_size_parse(option, text_of(at), HATCH_LINUX_LEAST);
}

static void take_cpus(struct guest *guest, const config_setting_t *at)
{
	guest->cpus = number_of(at, 1, CPUS_MOST);
}

static void take_weight(struct guest *guest, const config_setting_t *at)
{
	guest->weight = number_of(at, 1, WEIGHT_MOST);
}

/* A list, or an array: ( ) or [ ]. */
static int length_of(const config_setting_t *at)
{
	if (config_setting_type(at) != CONFIG_TYPE_ARRAY &&
	    config_setting_type(at) != CONFIG_TYPE_LIST)
		refuse(at, "not a list: put it between [ and ]");
	return config_setting_length(at);
}

static void take_pin(struct guest *guest, const config_setting_t *at)
{
	for (int i = 0; i < length_of(at); i++)
		guest->pin |= UINT64_C(1) << number_of(config_setting_get_elem(at, (unsigned int)i),
						       0, reading.harts - 1);
}

static void take_texts(struct hatch_list *list, const config_setting_t *at)
{
	for (int i = 0; i < length_of(at); i++)
		hatch_list_add(list, text_of(config_setting_get_elem(at, (unsigned int)i)));
}

static void take_disks(struct guest *guest, const config_setting_t *at)
{
	take_texts(&guest->devices.disks, at);
}

static void take_shares(struct guest *guest, const config_setting_t *at)
{
	take_texts(&guest->devices.shares, at);
}

static void take_net(struct guest *guest, const config_setting_t *at)
{
	guest->devices.net = text_of(at);
}

/* ---- The file ---- */

static const struct key {
	const char *name;
	void (*take)(struct guest *guest, const config_setting_t *at);
} keys[] = {
	{ "name", take_name },	   { "memory", take_memory }, { "cpus", take_cpus },
	{ "weight", take_weight }, { "pin", take_pin },	      { "kernel", take_kernel },
	{ "initrd", take_initrd }, { "append", take_append }, { "disks", take_disks },
	{ "shares", take_shares }, { "net", take_net },	      { NULL, NULL },
};

static void take_key(struct guest *guest, const config_setting_t *at)
{
	const char *known = "";

	for (const struct key *key = keys; key->name; key++) {
		if (!strcmp(key->name, config_setting_name(at))) {
			key->take(guest, at);
			return;
		}
		known = hatch_text_format("%s%s %s", known, *known ? "," : "", key->name);
	}
	refuse(at, hatch_text_format("no such key; known are%s", known));
}

static struct guest take_guest(const config_setting_t *at)
{
	struct guest guest = { .memory = UINT64_C(512) << 20, .cpus = 1, .weight = 100 };

	if (!config_setting_is_group(at))
		refuse(at, "not a group: put its keys between { and }");
	for (int i = 0; i < config_setting_length(at); i++)
		take_key(&guest, config_setting_get_elem(at, (unsigned int)i));
	if (!guest.name)
		refuse(at, "it has no name: give it one, as name = \"web\"");
	return guest;
}

static void check_names(const struct guest *guests, unsigned int count,
			const config_setting_t *list)
{
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int j = 0; j < i; j++)
			if (!strcmp(guests[i].name, guests[j].name))
				refuse(config_setting_get_elem(list, i),
				       hatch_text_format("a second guest of the name %s",
							 guests[i].name));
}

static unsigned int read_guests(const char *file, struct guest guests[GUESTS_MOST])
{
	config_t config;
	const config_setting_t *list;
	int count;

	config_init(&config);
	if (!config_read_file(&config, file)) {
		if (config_error_type(&config) == CONFIG_ERR_FILE_IO)
			hatch_report_fail(HATCH_EXIT_FAILED, "cannot read %s: %m; check the path",
					  file);
		hatch_report_fail(HATCH_EXIT_USAGE, "%s:%d: %s", file, config_error_line(&config),
				  config_error_text(&config));
	}
	list = config_lookup(&config, "guests");
	if (!list)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "%s: there is no key guests: begin with guests = ( { name = "
				  "\"one\"; } );",
				  file);
	count = length_of(list);
	if (count < 1 || count > GUESTS_MOST)
		refuse(list,
		       hatch_text_format("%d guests: 1 to %d can be had", count, GUESTS_MOST));
	for (unsigned int i = 0; i < (unsigned int)count; i++)
		guests[i] = take_guest(config_setting_get_elem(list, i));
	check_names(guests, (unsigned int)count, list);
	config_destroy(&config);
	return (unsigned int)count;
}

/* ---- The machine ---- */

static void check_slots(const struct guest *guests, unsigned int count)
{
	unsigned int slots = 0;

	for (unsigned int i = 0; i < count; i++)
		slots += hatch_devices_slots(&guests[i].devices);
	if (slots > HATCH_DEVICES_SLOTS)
		hatch_report_fail(
			HATCH_EXIT_USAGE,
			"%s: %u disks, networks, folders, and entropy for each guest that "
			"has some: the machine has %d slots for devices",
			reading.file, slots, HATCH_DEVICES_SLOTS);
}

static void give(struct hatch_run *run, unsigned int number, const char *name, const char *text)
{
	hatch_blob_give_text(run, hatch_text_format("%s.%u", name, number), text);
}

static void give_number(struct hatch_run *run, unsigned int number, const char *name,
			uint64_t value)
{
	give(run, number, name, hatch_text_format("%llu", (unsigned long long)value));
}

static void give_file(struct hatch_run *run, unsigned int number, const char *name,
		      const char *file)
{
	hatch_blob_give_file(run, hatch_text_format("%s.%u", name, number), file);
}

static void check_fit(const struct guest *guest, const char *kernel)
{
	uint64_t needed = hatch_linux_check(kernel);

	if (needed > guest->memory)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "%s: %s: its kernel needs %llu MiB, it has %llu: give it more "
				  "memory",
				  reading.file, guest->name, (unsigned long long)(needed >> 20) + 1,
				  (unsigned long long)guest->memory >> 20);
}

static void give_guest(struct hatch_run *run, unsigned int number, const struct guest *guest,
		       const char *kernel)
{
	check_fit(guest, guest->kernel ?: kernel);
	give(run, number, "name", guest->name);
	give(run, number, "append", guest->append ?: "console=ttyS0 no4lvl");
	give_number(run, number, "memory", guest->memory);
	give_number(run, number, "cpus", guest->cpus);
	give_number(run, number, "weight", guest->weight);
	give_number(run, number, "pin", guest->pin);
	give_number(run, number, "devices", hatch_devices_slots(&guest->devices));
	give_file(run, number, "kernel", guest->kernel);
	give_file(run, number, "initrd", guest->initrd);
	hatch_devices_plug(run, &guest->devices);
}

uint64_t hatch_guests_place(uint64_t guest, uint64_t used)
{
	const uint64_t leaf = UINT64_C(1) << 30;

	return guest + (guest < leaf ? used : (used + leaf - 1) & ~(leaf - 1));
}

void hatch_guests_describe(struct hatch_run *run, const char *file)
{
	static struct guest guests[GUESTS_MOST];
	const char *kernel = NULL;
	unsigned int count;
	bool devices = false, kernels = true, initrds = true;

	reading.file = file;
	reading.harts = run->cpus;
	count = read_guests(file, guests);
	check_slots(guests, count);
	for (unsigned int i = 0; i < count; i++) {
		devices |= hatch_devices_any(&guests[i].devices);
		kernels &= guests[i].kernel != NULL;
		initrds &= guests[i].initrd != NULL;
	}
	if (!kernels)
		kernel = hatch_linux_kernel(!initrds);
	hatch_blob_give_file(run, "kernel", kernel);
	if (!initrds)
		hatch_blob_give_file(run, "initrd", hatch_linux_initrd(devices));
	hatch_blob_give_text(run, "guests", hatch_text_format("%u", count));
	for (unsigned int i = 0; i < count; i++)
		give_guest(run, i, &guests[i], kernel);
	run->memory = MEMORY_HOST + count * MEMORY_EACH + hatch_blob_bytes(run);
	for (unsigned int i = 0; i < count; i++)
		run->memory = hatch_guests_place(guests[i].memory, run->memory);
}
