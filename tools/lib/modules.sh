# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# A few of a kernel's modules, with what they need of each other, for an initial file system. What
# depmod would tell is read from the modules themselves (their section .modinfo is a list of
# KEY=VALUE, each ended by a zero), so that no tool is needed for it. Sourced after cache.sh, never
# run.

# module_info MODULE KEY: the values of KEY in $modules_folder/MODULE.ko, one a line.
module_info() {
	tr '\0' '\n' <"$modules_folder/$1.ko" | LC_ALL=C sed -n "s/^$2=//p"
}

# module_take NAME: unpacks NAME and what it depends on. What is built into the kernel is no
# module, and nothing is to be done for it. A kernel that has it in neither form can do without it
# (its parts change their names), or the device is not found in the guest: that is told.
module_take() {
	[ ! -f "$modules_folder/$1.ko" ] || return 0
	packed=$(find "$modules_tree" -name "$1.ko" -o -name "$1.ko.xz" -o -name "$1.ko.zst" \
		-o -name "$1.ko.gz")
	[ -n "$packed" ] || {
		grep -q "/$1.ko\$" "$modules_tree/modules.builtin" ||
			say "the kernel ${modules_tree##*/} has no module $1: left out"
		return 0
	}
	case $packed in
	*.xz) xz -dc "$packed" ;;
	*.zst) zstd -dcq "$packed" ;;
	*.gz) gzip -dc "$packed" ;;
	*) cat "$packed" ;;
	esac >"$modules_folder/$1.ko" || die "cannot unpack $packed: is the disk full?"
	for needed in $(module_info "$1" depends | tr ',' ' '); do
		module_take "$needed"
	done
}

# modules_take TREE FOLDER NAME...: unpacks them and what they depend on into the new FOLDER, and
# writes their modules.dep and modules.alias as modprobe reads them.
modules_take() {
	modules_tree=$1 modules_folder=$2
	shift 2
	mkdir "$modules_folder"
	for module; do
		module_take "$module"
	done
	for module in $(modules_with_dependencies "$@"); do
		printf '%s.ko:' "$module"
		modules_with_dependencies "$module" |
			awk -v own="$module" '$0 != own { list = " " $0 ".ko" list } END { print list }'
	done >"$modules_folder/modules.dep"
	for module in $(modules_with_dependencies "$@"); do
		module_info "$module" alias | sed "s/.*/alias & $module/"
	done >"$modules_folder/modules.alias"
}

# modules_with_dependencies NAME...: each that modules_take() unpacked, after what it depends on.
modules_with_dependencies() {
	for module_listed; do
		[ ! -f "$modules_folder/$module_listed.ko" ] || module_list "$module_listed"
	done | awk '!seen[$0]++'
}

module_list() {
	for module_needed in $(module_info "$1" depends | tr ',' ' '); do
		[ ! -f "$modules_folder/$module_needed.ko" ] || module_list "$module_needed"
	done
	printf '%s\n' "$1"
}
