/* SPDX-License-Identifier: MIT */
/*
 * Devices are of virtio, on the "virt" machine's own eight slots. QEMU would fill these from the last
 * to the first; here each gets its slot by name, so that the first disk is the guest's first disk.
 */
#include "devices.h"

#include <string.h>

#include "blob.h"
#include "disk.h"
#include "net.h"
#include "report.h"
#include "share.h"

enum {
	CPUS_MOST = 8,
	SLOTS = HATCH_DEVICES_SLOTS, /* virtio-mmio-bus.0 to .7 */
};

static bool has_net(const struct hatch_devices *devices)
{
	return devices->net && strcmp(devices->net, "none") != 0;
}

bool hatch_devices_any(const struct hatch_devices *devices)
{
	return devices->disks.count || devices->shares.count || has_net(devices);
}

unsigned int hatch_devices_cpus(const struct hatch_devices *devices)
{
	const char *text = devices->cpus;

	if (!text)
		return 1;
	if (text[0] < '1' || text[0] > '0' + CPUS_MOST || text[1])
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "--cpus %s: not a number of processors: 1 to %d can be had", text,
				  CPUS_MOST);
	return (unsigned int)(text[0] - '0');
}

const char *hatch_devices_first(const struct hatch_devices *devices)
{
	return devices->disks.count    ? "--disk"
	       : has_net(devices)      ? "--net"
	       : devices->shares.count ? "--share"
				       : NULL;
}

static void add_pair(struct hatch_run *run, const char *option, const char *value)
{
	hatch_list_add(&run->extra, option);
	hatch_list_add(&run->extra, value);
}

/* A back end and the device before it; the device goes to the next free slot. */
static void plug(struct hatch_run *run, const char *option, const struct hatch_plug *plug)
{
	add_pair(run, option, plug->back);
	add_pair(run, "-device",
		 hatch_text_format("%s,bus=virtio-mmio-bus.%u", plug->device, run->slots++));
}

unsigned int hatch_devices_slots(const struct hatch_devices *devices)
{
	return hatch_devices_any(devices)
		       ? (unsigned int)(devices->disks.count + devices->shares.count +
					has_net(devices) + 1)
		       : 0;
}

static void check_slots(const struct hatch_devices *devices)
{
	unsigned int count = hatch_devices_slots(devices);

	if (count > SLOTS)
		hatch_report_fail(
			HATCH_EXIT_USAGE,
			"%u disks, networks and shared folders: the machine has %d slots for "
			"devices, one of them for entropy: leave out %u",
			count - 1, SLOTS, count - SLOTS);
}

/* What stands behind a device has the device's slot in its name: no two have the same. */
void hatch_devices_plug(struct hatch_run *run, const struct hatch_devices *devices)
{
	struct hatch_plug one;

	if (!hatch_devices_any(devices))
		return;
	if (!run->devices)
		add_pair(run, "-global", "virtio-mmio.force-legacy=false");
	run->devices = true;
	for (size_t i = 0; i < devices->disks.count; i++) {
		one = hatch_disk_plug(devices->disks.item[i], run->slots);
		plug(run, "-drive", &one);
	}
	if (has_net(devices)) {
		one = hatch_net_plug(devices->net, run->slots);
		plug(run, "-netdev", &one);
	}
	for (size_t i = 0; i < devices->shares.count; i++) {
		one = hatch_share_plug(&devices->shares, i, run->slots);
		plug(run, "-fsdev", &one);
	}
	one = (struct hatch_plug){
		hatch_text_format("rng-builtin,id=entropy%u", run->slots),
		hatch_text_format("virtio-rng-device,rng=entropy%u", run->slots),
	};
	plug(run, "-object", &one);
}

void hatch_devices_add(struct hatch_run *run, const struct hatch_devices *devices)
{
	run->cpus = hatch_devices_cpus(devices);
	if (run->cpus > 1)
		hatch_blob_give_text(run, "cpus", hatch_text_format("%u", run->cpus));
	check_slots(devices);
	hatch_devices_plug(run, devices);
}
