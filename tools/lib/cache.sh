# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The download cache, shared by the scripts in tools/. Sourced, never run.
#
# Three promises, all kept here: a folder in the cache is complete or absent (it is built in a
# scratch folder and renamed), two scripts never build the same thing at once (a lock per kind),
# and an interrupted script leaves nothing behind (a trap; and whoever takes the lock next sweeps
# what a SIGKILL left).

hatch_cache=${HATCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hatch}
scratch=/nonexistent

say() {
	printf 'hatch: %s\n' "$*" >&2
}

die() {
	say "$*"
	exit 125
}

# lock_cache KIND: waits until nobody else builds KIND, then makes $scratch, an empty folder on
# the cache's own file system (so that publishing is a rename).
lock_cache() {
	mkdir -p "$hatch_cache/.lock" "$hatch_cache/.scratch" ||
		die "cannot write to the cache $hatch_cache: free it or set XDG_CACHE_HOME"
	exec 9>"$hatch_cache/.lock/$1" || die "cannot lock $hatch_cache/.lock/$1: check its owner"
	if ! flock -n 9; then
		say "waiting for another hatch that is fetching $1"
		flock 9
	fi
	rm -rf "$hatch_cache/.scratch/$1".*
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	scratch=$(mktemp -d "$hatch_cache/.scratch/$1.XXXXXX") ||
		die "cannot make a folder in $hatch_cache/.scratch: is the disk full?"
}

# cached KIND: prints the folder of KIND that is in use; fails when there is none.
cached() {
	[ -d "$hatch_cache/$1/current/" ] && printf '%s\n' "$hatch_cache/$1/current"
}

# publish KIND VERSION: gives the finished folder $scratch/out to everyone. Versions already published
# stay as they are (a machine may be booting from them); `current` moves in one rename.
publish() {
	mkdir -p "$hatch_cache/$1"
	[ -d "$hatch_cache/$1/$2" ] || mv -T "$scratch/out" "$hatch_cache/$1/$2" ||
		die "cannot move $1 $2 into $hatch_cache: is the disk full?"
	ln -s "$2" "$scratch/current"
	mv -T "$scratch/current" "$hatch_cache/$1/current"
}
