/* SPDX-License-Identifier: MIT */
/*
 * Markers in the serial stream: invisible strings (application program commands, ESC _ ... ESC \)
 * by which the board and the default guest tell where their output begins. Bytes before the
 * marker are held back, to be shown only if the marker never comes.
 */
#ifndef HATCH_COMMAND_MARKER_H
#define HATCH_COMMAND_MARKER_H

#include <stdbool.h>
#include <stddef.h>

/* The board says it first thing: firmware's output ends here. */
#define HATCH_MARKER_BOARD "\033_hatch\033\\"
/* The default guest's init says it when asked to: from now on the console is read. */
#define HATCH_MARKER_READY "\033_hatch-ready\033\\"

/*
 * Invariant: until `seen`, held[0..length) are the last bytes fed, at least as many as the
 * marker has (a marker split over two reads is found).
 */
struct hatch_marker {
	const char *text;
	bool seen;
	size_t length;
	char held[64 * 1024];
};

/*
 * Feeds `size` bytes. Returns how many of them, from the start, precede the end of the marker
 * and are thus not to be shown: all of them if it has not come, 0 if it came earlier.
 */
size_t hatch_marker_feed(struct hatch_marker *marker, const char *data, size_t size);

#endif
