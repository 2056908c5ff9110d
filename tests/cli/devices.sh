# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
#
# The part of `run` about devices and images: sourced by it, with its functions and folders.

test_device_words() {
	set -- boot --qemu "$fake" --payload "$elf"
	for cpus in 0 9 abc 1.5 -1 '' 10; do
		refuse 2 "boot: --cpus $cpus: not a number of processors: 1 to 8 can be had" "$@" --cpus "$cpus"
	done
	for net in users tap user,x '' user, user,forward=tcp:1 user,forward=sctp:1:2 \
		user,forward=tcp:0:2 user,forward=tcp:70000:2 user,forward=tcp:1:2:3 user,forward=tcp:1:x; do
		word=$net
		case $net in user,*) word=${net#user,} ;; esac
		refuse 2 "boot: --net: '$word' is no part of a network: give none, or user, or \
user,forward=tcp:HOST:GUEST with two ports (udp, too; more than one forward)" "$@" --net "$net"
	done
	refuse 2 "boot: --net: two forwards of the port 34567: give each its own" \
		"$@" --net user,forward=tcp:34567:1,forward=udp:34567:1,forward=tcp:34567:2
	for share in x :x "$work" ro; do
		refuse 2 "boot: --share $share: not a folder and its tag: give DIR:TAG or DIR:TAG:ro, \
such as .:work" "$@" --share "$share"
	done
	refuse 2 "boot: --share .:: the tag is empty: give the name that the folder shall have in /mnt" \
		"$@" --share .:
	tag=$(printf '%031d' 0)
	expect 0 '' "$@" --share ".:$tag"
	refuse 2 "boot: --share .:${tag}0: the tag is too long: 31 bytes at most" "$@" --share ".:${tag}0"
	for tag in a/b .. 'a b' .a é; do
		refuse 2 "boot: --share .:$tag: the tag '$tag' is no plain name: letters, digits, '.', \
'_' and '-' only, and no '.' ahead" "$@" --share ".:$tag"
	done
	refuse 2 "boot: --share /:a:ro: the tag 'a' is taken by --share .:a: give another" \
		"$@" --share .:a --share .:b --share /:a:ro
	head -c 512 /dev/zero >"$work/disk"
	refuse 2 "boot: --disk $work/disk,rw: 'rw' says nothing about a disk: give ro, or snapshot, \
or nothing" "$@" --disk "$work/disk,rw"
	refuse 2 "boot: 8 disks, networks and shared folders: the machine has 8 slots for devices, one \
of them for entropy: leave out 1" "$@" --net user --share .:a --share .:b --share .:c --share .:d \
		--share .:e --share .:f --share .:g
	for words in '--disk x' '--net user' '--share .:x'; do
		# shellcheck disable=SC2086 # two words
		refuse 2 "boot: --save keeps a guest without devices: give ${words%% *} to each --load" \
			boot --save x $words
	done
}

test_bad_devices() {
	set -- boot --qemu "$fake" --payload "$elf"
	refuse 125 "boot: cannot find the disk /nowhere: No such file or directory; check the path, or \
make one: hatch image create /nowhere" "$@" --disk /nowhere
	refuse 125 "boot: the disk $work is not a file: check the path" "$@" --disk "$work,ro"
	: >"$work/nothing"
	refuse 125 "boot: the disk $work/nothing is empty: give it a size (truncate -s 1G), or a system \
(hatch image create)" "$@" --disk "$work/nothing"
	refuse 125 "boot: cannot find the folder /nowhere to share: No such file or directory; check \
the path" "$@" --share /nowhere:a
	refuse 125 "boot: $elf is not a folder, and only these are shared: give the one that it is in" \
		"$@" --share "$elf:a"
	FAKE=locked expect 125 'a disk is in use by another machine: end that one' "$@" --disk "$work/disk"
	grep -q 'Failed to get "write" lock' "$work/err" || fail "QEMU's words for a lock are not shown"
	for kind in tcp udp; do
		python3 ./port $kind "$cli" "$@" || fail "a $kind port in use"
		checks=$((checks + 1))
	done
	if [ "$(id -u)" = 0 ]; then
		as='setpriv --reuid 65534 --regid 65534 --clear-groups'
		chmod 755 "$work"
		chmod 777 "$work/tmp"
	else
		as=
	fi
	head -c 512 /dev/zero >"$work/kept"
	mkdir -p "$work/closed"
	chmod 444 "$work/kept"
	chmod 555 "$work/closed"
	$as "$cli" "$@" --disk "$work/kept" >"$work/out" 2>"$work/err"
	same 'a disk that cannot be written' "125 hatch: boot: cannot write the disk $work/kept: \
Permission denied; give it as $work/kept,ro or as $work/kept,snapshot" "$? $(cat "$work/err")"
	$as "$cli" "$@" --share "$work/closed:a" >"$work/out" 2>"$work/err"
	same 'a folder that cannot be written' "125 hatch: boot: cannot write the folder $work/closed \
to share: Permission denied; give it as $work/closed:a:ro" "$? $(cat "$work/err")"
	chmod 000 "$work/kept"
	$as "$cli" "$@" --disk "$work/kept,ro" >"$work/out" 2>"$work/err"
	same 'a disk that cannot be read' "125 hatch: boot: cannot read the disk $work/kept: Permission \
denied; check its owner and mode" "$? $(cat "$work/err")"
	chmod 755 "$work/closed"
}

# words FIRST: QEMU's words from FIRST on, up to the first one of the files in RAM, in one line.
words() {
	sed -n "/^$1\$/,\$p" "$work/arguments" | sed '/^loader,/,$d' | sed '$d' | tr '\n' ' ' | sed 's/ $//'
}

test_device_arguments() {
	set -- boot --qemu "$fake" --payload "$elf"
	expect 0 '' "$@"
	! grep -q virtio "$work/arguments" || fail "a plain boot has devices"
	same 'processors of a plain boot' 1 "$(sed -n '/^-smp$/{n;p;}' "$work/arguments")"
	expect 0 '' "$@" --cpus 4 --net none
	same 'processors' 4 "$(sed -n '/^-smp$/{n;p;}' "$work/arguments")"
	grep -q 'hatch.text=cpus,4 ' "$work/arguments" || fail "--cpus is not told to the program"
	! grep -q virtio "$work/arguments" || fail "--cpus brings devices"
	head -c 512 /dev/zero >"$work/a,b:c"
	printf 'QFI\373' | cat - "$work/a,b:c" >"$work/disk.qcow2"
	mkdir -p "$work/s:1,2"
	expect 0 '' "$@" --disk "$work/a,b:c" --share "$work/s:1,2:tag:ro" --disk "$work/disk.qcow2,snapshot" \
		--disk "$work/disk.qcow2,ro" --net user,forward=tcp:34567:22,forward=udp:34567:53 --share "$work:w"
	drive=if=none,id=disk fixed=cache=writeback,discard=unmap
	same 'words for devices' "-global virtio-mmio.force-legacy=false \
-drive ${drive}0,format=raw,$fixed,file=$work/a,,b:c \
-device virtio-blk-device,drive=disk0,bus=virtio-mmio-bus.0 \
-drive ${drive}1,format=qcow2,$fixed,snapshot=on,file=$work/disk.qcow2 \
-device virtio-blk-device,drive=disk1,bus=virtio-mmio-bus.1 \
-drive ${drive}2,format=qcow2,$fixed,readonly=on,file=$work/disk.qcow2 \
-device virtio-blk-device,drive=disk2,bus=virtio-mmio-bus.2 \
-netdev user,id=net3,hostfwd=tcp:127.0.0.1:34567-:22,hostfwd=udp:127.0.0.1:34567-:53 \
-device virtio-net-device,netdev=net3,bus=virtio-mmio-bus.3 \
-fsdev local,id=share4,security_model=none,multidevs=remap,readonly=on,path=$work/s:1,,2 \
-device virtio-9p-device,fsdev=share4,mount_tag=tag,bus=virtio-mmio-bus.4 \
-fsdev local,id=share5,security_model=none,multidevs=remap,path=$work \
-device virtio-9p-device,fsdev=share5,mount_tag=w,bus=virtio-mmio-bus.5 \
-object rng-builtin,id=entropy6 -device virtio-rng-device,rng=entropy6,bus=virtio-mmio-bus.6" "$(words -global)"
}

test_image() {
	refuse 2 'image: what about images? hatch image create FILE' image
	refuse 2 'image: what about images? hatch image create FILE' image make x
	refuse 2 'image: which file? hatch image create FILE' image create
	refuse 2 "image: unexpected word 'y': see hatch image --help" image create x y
	refuse 2 'image: --size 900M: too little: 1024M is the least' image create x --size 900M
	refuse 2 'image: --size 2: not a size: give a number and K, M or G, such as 512M' \
		image create x --size 2
	refuse 125 "image: $elf is there: give another name, or --force to lose what is in it" \
		image create "$elf"
	refuse 125 "image: $work is there and not a file: give another name" image create "$work" --force
	refuse 125 "image: cannot make a file in the folder /nowhere: No such file or directory; check \
the path" image create /nowhere/x
	refuse 127 'image: no QEMU at /nowhere: check --qemu' image create "$work/new" --qemu /nowhere
	expect 125 'no network' image create "$work/new" --qemu "$fake"
	[ ! -e "$work/new" ] || fail 'an image without a network'
	# The second step, with a small file system of our own for the distribution's.
	PATH=$PATH:/usr/sbin:/sbin
	truncate -s 8M "$work/base"
	mke2fs -q -F -t ext4 "$work/base"
	printf '#!/bin/sh\nprintf "%%s\\n" "$@" >%s\necho %s\n' "$work/told" "$work/base" >"$work/root/tools/make-image"
	cp -R "$here/../../tools/lib" "$here/../../tools/copy-image" "$work/root/tools/"
	for name in new new.qcow2; do
		expect 0 "made $work/$name; start it with: hatch boot --disk $work/$name --net user" \
			image create "$work/$name" --qemu "$fake" --release sid --size 1G
	done
	same 'words for make-image' "--qemu $fake --firmware default sid" "$(tr '\n' ' ' <"$work/told" | sed 's/ $//')"
	same 'bytes of the disk' $((1 << 30)) "$(wc -c <"$work/new")"
	e2fsck -fn "$work/new" >"$work/out" 2>&1 || fail "the copy is damaged: $(cat "$work/out")"
	same 'magic of a qcow2' 514649fb "$(od -A n -t x1 -N 4 "$work/new.qcow2" | tr -d ' ')"
	same 'left beside the image' '' "$(find "$work" -name '.hatch-image*')"
	expect 0 'made' image create "$work/new" --force --qemu "$fake" --size 1G
}
