# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
#
# A private apt: packages of another suite or architecture, without touching this system. It has
# its own lists, cache and (empty) dpkg status; mirror and keyring are the machine's own. Sourced
# after cache.sh, never run; everything lives in $scratch.

# The distribution and its release, from os-release, in a subshell: it sets many variables.
os_release() (
	# shellcheck source=/dev/null
	. /etc/os-release
	eval "printf '%s\n' \"\${$1-}\""
)

# The sites that this machine's sources name for the main archive, best guess first: those that
# carry the running release, in the order of the sources. Security archives hold no full suite.
machine_sites() {
	[ -z "${HATCH_MIRROR-}" ] || {
		printf '%s\n' "$HATCH_MIRROR"
		return
	}
	apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' 'Component: main' |
		awk '$2 !~ /security/ && !seen[$1]++ { print $1 }'
}

# Ubuntu keeps riscv64 on another site than amd64: beside the archive on a full mirror (NAME-ports),
# or on the host `ports` of the distribution's own domain.
ubuntu_ports_sites() {
	domain=$(os_release HOME_URL | sed -e 's,^[a-z]*://,,' -e 's,^www\.,,' -e 's,/.*,,')
	machine_sites | sed -e '/-ports\/*$/!s,/*$,-ports,'
	printf 'http://ports.%s/ubuntu-ports\n' "$domain"
}

# write_apt_conf ARCH: the options of the private apt. Hooks of the system's apt are for the
# system's packages, so they are cleared.
write_apt_conf() {
	mkdir -p "$scratch/apt/lists/partial" "$scratch/apt/archives/partial" "$scratch/apt/none"
	: >"$scratch/apt/status"
	cat >"$scratch/apt/conf" <<END
Dir::State "$scratch/apt";
Dir::State::status "$scratch/apt/status";
Dir::Cache "$scratch/apt";
Dir::Etc::sourcelist "$scratch/apt/sources.list";
Dir::Etc::sourceparts "$scratch/apt/none";
Dir::Etc::preferences "$scratch/apt/none.pref";
Dir::Etc::preferencesparts "$scratch/apt/none";
APT::Architecture "$1";
#clear APT::Architectures;
APT::Architectures { "$1"; };
APT::Sandbox::User "$(id -un)";
APT::Update::Error-Mode "any";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
}

# Progress on a terminal, silence elsewhere; standard output is kept for results.
private_apt() {
	if [ -t 2 ]; then
		apt-get -c "$scratch/apt/conf" "$@" >&2 9>&-
	else
		apt-get -qq -c "$scratch/apt/conf" "$@" >&2 9>&-
	fi
}

private_apt_cache() {
	apt-cache -c "$scratch/apt/conf" "$@"
}

# try_site ARCH KEYRING SITE COMPONENTS SUITE...: reads the package lists of one site. The first
# suite is preferred: backports would otherwise stand back behind the release they belong to.
try_site() {
	arch=$1 keyring=$2 site=$3 components=$4
	shift 4
	for suite; do
		printf 'deb [arch=%s signed-by=%s] %s %s %s\n' \
			"$arch" "$keyring" "$site" "$suite" "$components"
	done >"$scratch/apt/sources.list"
	printf 'APT::Default-Release "%s";\n' "$1" >>"$scratch/apt/conf"
	private_apt update 2>"$scratch/apt/errors"
}

# open_apt ARCH [SUITE...]: makes the private apt ready for ARCH. Without SUITE: Debian 13 on a
# Debian (the first release with riscv64), the machine's own release on an Ubuntu.
open_apt() {
	arch=$1
	shift
	command -v apt-get >/dev/null ||
		die "no apt-get here: fetching needs Debian or Ubuntu; give --kernel and --initrd yourself"
	write_apt_conf "$arch"
	case $(os_release ID) in
	ubuntu)
		keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg keyring_package=ubuntu-keyring
		components='main universe'
		sites=$(ubuntu_ports_sites) release=$(os_release VERSION_CODENAME)
		[ $# -gt 0 ] || set -- "$release" "$release-updates"
		;;
	*)
		keyring=/usr/share/keyrings/debian-archive-keyring.gpg
		keyring_package=debian-archive-keyring components=main
		sites=$(machine_sites)
		[ $# -gt 0 ] || set -- trixie
		;;
	esac
	[ -r "$keyring" ] || die "no $keyring: install the package that holds it: $keyring_package"
	say "reading the package lists of $* for $arch"
	for site in $sites; do
		try_site "$arch" "$keyring" "$site" "$components" "$@" && return
	done
	[ ! -s "$scratch/apt/errors" ] || cat "$scratch/apt/errors" >&2
	die "no package lists of $* for $arch at: ${sites:-(no site found)}; check the network, or" \
		"name a mirror in HATCH_MIRROR"
}

# package_field PACKAGE FIELD: one field of the newest version.
package_field() {
	private_apt_cache show --no-all-versions "$1" 2>/dev/null | sed -n "s/^$2: //p" | head -n 1
}

# A version as a folder name: without the epoch, whose colon is awkward in paths.
package_version() {
	package_field "$1" Version | sed 's/^[0-9]*://'
}

# unpack PACKAGE FOLDER [PATH...]: downloads one package, checked by apt against the signed
# lists, and unpacks the given paths (all without any) below FOLDER.
unpack() {
	wanted_package=$1 folder=$2
	shift 2
	size=$(package_field "$wanted_package" Size)
	[ -n "$size" ] ||
		die "no package $wanted_package at $site: name another mirror in HATCH_MIRROR"
	say "fetching $wanted_package ($(((size + 1023) / 1024)) KiB)"
	mkdir -p "$folder" "$scratch/deb"
	(cd "$scratch/deb" && private_apt download "$wanted_package") ||
		die "cannot download $wanted_package from $site: check the network and run again"
	dpkg-deb --fsys-tarfile "$scratch"/deb/*.deb >"$scratch/deb/tar" &&
		tar -x -f "$scratch/deb/tar" -C "$folder" --no-same-owner --wildcards "$@" ||
		die "cannot unpack $wanted_package into $hatch_cache: is the disk full?"
	rm -rf "$scratch/deb"
}
