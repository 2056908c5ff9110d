/* SPDX-License-Identifier: MIT */
#include "marker.h"

#include <string.h>

/* A firmware that babbles for ever must not use up the memory: the older half is forgotten. */
static void make_room(struct hatch_marker *marker)
{
	size_t half = sizeof(marker->held) / 2;

	if (marker->length < sizeof(marker->held))
		return;
	memmove(marker->held, marker->held + half, marker->length - half);
	marker->length -= half;
}

static bool ends_with_marker(const struct hatch_marker *marker)
{
	size_t size = strlen(marker->text);

	return marker->length >= size &&
	       !memcmp(marker->held + marker->length - size, marker->text, size);
}

size_t hatch_marker_feed(struct hatch_marker *marker, const char *data, size_t size)
{
	size_t used = 0;

	while (!marker->seen && used < size) {
		make_room(marker);
		marker->held[marker->length++] = data[used++];
		marker->seen = ends_with_marker(marker);
	}
	return used;
}
