/* SPDX-License-Identifier: MIT */
/* Snapshots are large, and each new kernel, agent or QEMU makes new ones. */
#ifndef HATCH_LIBRARY_TRIM_H
#define HATCH_LIBRARY_TRIM_H

/*
 * Removes snapshots, the least recently used first, until they are below HATCH_CACHE_LIMIT (a number
 * of bytes, or with K, M, G behind it; default: 2G) together. One that is in use stays.
 */
void hatch_trim(const char *cache);

#endif
