# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
#
# The part of `run` about files of guests: sourced by it, with its functions and folders.

# wrong LINE MESSAGE TEXT: a file with that text is refused with status 2, and MESSAGE is behind its name
# and line.
wrong() {
	printf '%s\n' "$3" >"$work/guests.conf"
	refuse 2 "boot: $work/guests.conf$1: $2" boot --qemu "$fake" --cpus 2 --guests "$work/guests.conf"
}

# key LINE: a guest with this key is refused, and MESSAGE follows.
key() {
	wrong :2 "$1" "guests = ( { name = \"a\";
$2
} );"
}

test_guests() {
	set -- boot --qemu "$fake" --guests "$work/guests.conf"
	refuse 125 "boot: cannot read $work/none: No such file or directory; check the path" \
		boot --qemu "$fake" --guests "$work/none"
	for option in --memory=1G --kernel=x --initrd=x --append=x --payload=x --exec=x --save=x --load=x \
		--emulate=zba --disk=x --net=user --share=.:x; do
		refuse 2 "boot: --guests: what they have is in the file: leave out ${option%%=*}" \
			"$@" "$option"
	done
	refuse 2 'boot: --guests: what they have is in the file: leave out -v' "$@" -v
	wrong '' 'there is no key guests: begin with guests = ( { name = "one"; } );' 'guest = 1;'
	wrong :2 'syntax error' 'guests = (
}'
	wrong :1 'guests: not a list: put it between [ and ]' 'guests = 7;'
	wrong :1 'guests: 0 guests: 1 to 16 can be had' 'guests = ();'
	wrong :1 'a guest: not a group: put its keys between { and }' 'guests = ( 1 );'
	wrong :1 'a guest: it has no name: give it one, as name = "web"' 'guests = ( { cpus = 1; } );'
	wrong :2 'a guest: a second guest of the name a' 'guests = ( { name = "a"; },
{ name = "a"; } );'
	wrong :1 'name: only letters, digits and signs, and no |, please' 'guests = ( { name = "a b"; } );'
	key 'wieght: no such key; known are name, memory, cpus, weight, pin, kernel, initrd, append, disks, shares, net' \
		'wieght = 3;'
	key 'cpus: not a whole number from 1 to 8' 'cpus = 9;'
	key 'cpus: not a whole number from 1 to 8' 'cpus = "2";'
	key 'weight: not a whole number from 1 to 10000' 'weight = 0;'
	key 'a guest: not a whole number from 0 to 1' 'pin = [ 2 ];'
	key 'pin: not a list: put it between [ and ]' 'pin = 1;'
	key 'append: not a text: put it between quotes' 'append = 1;'
	key 'a guest: not a text: put it between quotes' 'disks = [ 1 ];'
	printf 'guests = ( { name = "a"; memory = "1M"; } );' >"$work/guests.conf"
	refuse 2 "boot: $work/guests.conf:1: memory 1M: too little: 32M is the least" "$@"
	printf 'guests = ( { name = "g0"; }' >"$work/guests.conf"
	for i in 1 2 3 4 5; do
		printf ', { name = "g%s"; net = "user"; }' $i
	done >>"$work/guests.conf"
	printf ' );' >>"$work/guests.conf"
	refuse 2 "boot: $work/guests.conf: 10 disks, networks, folders, and entropy for each guest that has some: the machine has 8 slots for devices" "$@"
}
