/* SPDX-License-Identifier: MIT */
/*
 * What the proxy must know of a device beyond the transport: VIRTIO 1.2, chapters 5 and 6.
 *
 * Two things cannot be told from the registers. Whether requests hold addresses of memory in
 * their buffers, where the proxy does not look: these types are not in the table. And whether the
 * device comes back as it was when it is reset and given the same queues.
 *
 * And of net devices the form of a request matters: QEMU 7.2 ends, and the machine with it, when a
 * frame has less room than the header that goes ahead of it.
 */
#include "virtio_internal.h"

struct type {
	uint32_t device_id;
	uint16_t ring;	   /* entries of a queue, at most; 0: as many as any */
	bool stateless;	   /* what it knows is in its queues and its read-only configuration */
	uint64_t stateful; /* ... unless one of these was accepted */
	uint64_t hidden;   /* never shown: a reset would lose what they let the driver set */
};

/*
 * Net: filters that were set through its control queue are lost, and the device then delivers
 * more than was asked for, which a driver must bear. Not so the number of queue pairs, RSS and
 * hash reports. Guest offloads changed at run time, and the write cache of a disk, would fall
 * back to what they were without anybody's knowing, so they cannot be changed.
 *
 * Console: Linux puts a page into each entry of a receiving queue, and notifies of each. QEMU offers
 * 1024 entries to each of its ports.
 */
static const struct type types[] = {
	{ 1, 0, true, VIRTIO_FEATURE(22) | VIRTIO_FEATURE(57) | VIRTIO_FEATURE(60),
	  VIRTIO_FEATURE(2) },		       /* net: MQ, HASH_REPORT, RSS; CTRL_GUEST_OFFLOADS */
	{ 2, 0, true, 0, VIRTIO_FEATURE(11) }, /* block: CONFIG_WCE */
	{ 3, 64, true, VIRTIO_FEATURE(1), 0 }, /* console: MULTIPORT */
	{ 4, 0, true, 0, 0 },		       /* entropy */
	{ 8, 0, false, 0, 0 },		       /* SCSI host: units attend */
	{ 9, 0, false, 0, 0 },		       /* 9P: open files */
	{ 18, 0, false, 0, 0 },		       /* input: what configuration was selected */
	{ 19, 0, false, 0, 0 },		       /* socket: connections */
	{ 20, 0, false, 0, 0 },		       /* crypto: sessions */
	{ 25, 0, false, 0, 0 },		       /* sound: streams */
	{ 26, 0, false, 0, 0 },		       /* file system: open files */
	{ 34, 0, true, 0, 0 },		       /* I2C adapter */
	{ 41, 0, false, 0, 0 },		       /* GPIO: lines that interrupt */
};

/*
 * Bits 24 to 49 belong to queues and transport (6.3), and what the proxy does not know of them it
 * could not carry. These it does:
 */
#define CARRIED                                                                                    \
	(F_INDIRECT_DESC | F_EVENT_IDX | F_VERSION_1 |                                             \
	 VIRTIO_FEATURE(                                                                           \
		 36)) /* ORDER_PLATFORM: the guest's barriers; the proxy's are that strong */
/*
 * And these not, with the reason:
 *   24 NOTIFY_ON_EMPTY, 27 ANY_LAYOUT, 30: legacy, nothing to be offered with VERSION_1
 *   33 ACCESS_PLATFORM: the device gets host-physical addresses, whatever the guest's platform
 *   34 RING_PACKED: the shadow is a split queue
 *   35 IN_ORDER: chains are told apart by number, in whatever order they are used
 *   37 SR_IOV, 41 ADMIN_VQ: of PCI; virtio-mmio has none
 *   38 NOTIFICATION_DATA, 39 NOTIF_CONFIG_DATA: QueueNotify is caught; its value is the queue
 *   40 RING_RESET: a queue alone is not taken back from the device
 */
#define RESERVED_FIRST 24
#define RESERVED_END   50
#define OF_TRANSPORT   (VIRTIO_FEATURE(RESERVED_END) - VIRTIO_FEATURE(RESERVED_FIRST))

static const struct type *find(uint32_t device_id)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].device_id == device_id)
			return &types[i];
	return NULL;
}

bool hatch_virtio_type_is_known(uint32_t device_id)
{
	return find(device_id) != NULL;
}

uint16_t hatch_virtio_ring(uint32_t device_id)
{
	const struct type *type = find(device_id);

	return type && type->ring ? type->ring : HATCH_VIRTIO_RING;
}

uint64_t hatch_virtio_features(uint32_t device_id, uint64_t offered)
{
	const struct type *type = find(device_id);

	return offered & (~OF_TRANSPORT | CARRIED) & ~(type ? type->hidden : 0);
}

bool hatch_virtio_type_is_stateless(uint32_t device_id, uint64_t accepted)
{
	const struct type *type = find(device_id);

	return type && type->stateless && !(type->stateful & accepted);
}

/* ---- Net: 5.1.2, 5.1.6 ---- */

#define NET_DEVICE	  1
#define NET_CTRL_VQ	  VIRTIO_FEATURE(17)
#define NET_MANY	  (VIRTIO_FEATURE(22) | VIRTIO_FEATURE(60)) /* MQ, RSS: more than one pair */
#define NET_HASH_REPORT	  VIRTIO_FEATURE(57)
#define NET_HEADER	  12
#define NET_HEADER_HASHED 20

/* Its requests are commands, not frames. It comes behind all pairs. */
static bool is_control(const struct hatch_virtio_proxy *p, uint32_t index)
{
	return p->accepted & NET_CTRL_VQ && index == (p->accepted & NET_MANY ? p->queues - 1 : 2);
}

/* Of a pair the first queue receives. */
const char *hatch_virtio_too_short(const struct hatch_virtio_proxy *p, uint32_t index,
				   uint64_t readable, uint64_t writable)
{
	uint64_t header = p->accepted & NET_HASH_REPORT ? NET_HEADER_HASHED : NET_HEADER;

	if (p->device_id != NET_DEVICE || is_control(p, index))
		return NULL;
	return (index & 1 ? readable : writable) < header
		       ? "a frame of the guest is shorter than its header"
		       : NULL;
}
