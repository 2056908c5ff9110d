/* SPDX-License-Identifier: MIT */
/* A slot without a device: VIRTIO 1.2, 4.2.2. */
#include <hatch/handlers/unmapped.h>
#include <hatch/handlers/virtio_empty.h>

#include "virtio_internal.h"

static enum hatch_verdict on_empty(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	if (!virtio_is_access(ev))
		return hatch_inject_access_fault(ev, k);
	switch (ev->mmio.offset) {
	case REG_MAGIC:
		return hatch_resume(k, VIRTIO_MAGIC);
	case REG_VERSION:
		return hatch_resume(k, VIRTIO_MMIO_VERSION);
	default:
		return hatch_resume(k, 0);
	}
}

struct hatch_catch hatch_virtio_empty_clause(hatch_gpa base)
{
	struct hatch_catch clause = HATCH_ON_MMIO(base.addr, HATCH_VIRTIO_SIZE, on_empty, NULL);

	clause.name = "empty slot";
	clause.may = HATCH_MAY(HATCH_RESUME) | HATCH_MAY(HATCH_INJECT);
	return clause;
}
