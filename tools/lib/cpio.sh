# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# A cpio archive ("newc" form) on standard output, one entry after the other. It is written here
# rather than by cpio: no root is needed for a device, and owner, time and order are fixed, so that
# the same input gives the same bytes everywhere. Sourced, never run.

inode=0

# pad SIZE: zeros from SIZE up to the next multiple of four.
pad() {
	head -c $(((4 - $1 % 4) % 4)) /dev/zero
}

# entry NAME MODE SIZE [MAJOR MINOR]: one header and name. Thirteen fields of eight hex digits:
# inode, mode, uid, gid, links, mtime, size, device (2), device node (2), name's size, checksum.
entry() {
	inode=$((inode + 1))
	printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\0' \
		$inode "$2" 0 0 1 0 "$3" 0 0 "${4-0}" "${5-0}" $((${#1} + 1)) 0 "$1"
	pad $((110 + ${#1} + 1))
}

directory() {
	entry "$1" 0040755 0
}

# file NAME MODE SOURCE
file() {
	size=$(wc -c <"$3")
	entry "$1" "$2" "$size"
	cat "$3"
	pad "$size"
}

# symlink NAME TARGET
symlink() {
	entry "$1" 0120777 ${#2}
	printf '%s' "$2"
	pad ${#2}
}

trailer() {
	entry 'TRAILER!!!' 0 0
}
