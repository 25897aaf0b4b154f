# SPDX-License-Identifier: Apache-2.0
#
# prepare.sh - from a bare checkout to built programs; sourced by nginx/serve and tests/run, so that both need the same things.
#
# Uses      $root, the checkout; say and die are the caller's.
# Promise   quick when nothing is missing and nothing changed; git is never run; nothing is written but build directories and
#           what autogen.sh makes.

PATH=$PATH:/usr/sbin:/sbin

# What it takes, a line each: the Debian package, and how to see that it, or its like from elsewhere, is here.
prepare_needs_build='
gcc                     cmd gcc
libc6-dev               header stdio.h
make                    cmd make
autoconf                cmd autoconf
automake                cmd automake
libtool                 cmd libtoolize
pkg-config              cmd pkg-config
libfcgi-dev             header fcgiapp.h
libjson-c-dev           module json-c
libssl-dev              module libcrypto
liburcu-dev             module liburcu-bp
libxxhash-dev           module libxxhash
liblz4-dev              module liblz4
libzstd-dev             module libzstd
libinih-dev             module inih
libcurl4-openssl-dev    module libcurl
'
prepare_needs_serve='
nginx                   cmd nginx
curl                    cmd curl
'
prepare_needs_test='
libcmocka-dev           module cmocka
jq                      cmd jq
'
# Without these some tests are skipped.
prepare_needs_optional='
systemd                 cmd systemd-socket-activate
mandoc                  cmd mandoc
zsh                     cmd zsh
python3-prometheus-client python prometheus_client
'
# For the part ui.
prepare_needs_browser='
chromium                cmd chromium
nodejs                  cmd node
npm                     cmd npm
'

prepare_has() {
	case $1 in
	cmd)    command -v "$2" >/dev/null ;;
	header) printf '#include <%s>\n' "$2" | gcc -E - >/dev/null 2>&1 ;;
	python) /usr/bin/python3 -c "import $2" 2>/dev/null ;;
	module) pkg-config --exists "$2" 2>/dev/null ;;
	esac
}

# prepare_missing NEEDS: the packages whose sign is not found
prepare_missing() {
	local package how what

	while read -r package how what; do
		[ -n "$package" ] || continue
		prepare_has "$how" "$what" || printf '%s ' "$package"
	done <<<"$1"
}

# prepare_install PACKAGE...: as root, or with sudo; 1 where neither can be
prepare_install() {
	local as_root='' log rc

	command -v apt-get >/dev/null || return 1
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || return 1
		as_root=sudo
		[ -t 0 ] || as_root='sudo -n'
	fi
	log=$(mktemp) || return 1
	$as_root bash "$root/nginx/lib/install.sh" "$@" >"$log" 2>&1
	rc=$?
	[ "$rc" = 0 ] || tail -n 15 "$log" >&2
	rm -f "$log"
	return "$rc"
}

# prepare_packages NEEDS: all of them are here afterwards, or this ends with what to do
prepare_packages() {
	local missing

	missing=$(prepare_missing "$1")
	[ -n "$missing" ] || return 0
	say "installing: $missing"
	# shellcheck disable=SC2086
	prepare_install $missing
	missing=$(prepare_missing "$1")
	[ -z "$missing" ] || die "these are missing and could not be installed here; please run, as root:
    apt-get update && apt-get install --no-install-recommends $missing"
}

# prepare_logged LOG WHAT COMMAND...: quiet while it works
prepare_logged() {
	local log=$1 what=$2

	shift 2
	"$@" >"$log" 2>&1 && return 0
	tail -n 40 "$log" >&2
	die "$what failed; all of it is in $log"
}

# Where to build: build/, or the checkout itself where someone has configured that.
prepare_build_dir() {
	if [ -f "$root/config.status" ]; then
		echo "$root"
	else
		echo "$root/build"
	fi
}

# prepare_build DIRECTORY [CONFIGURE-OPTION...]: ./siltstone and ./siltctl stand in DIRECTORY afterwards; in a subshell, so the
# caller's directory stays and a `|| exit` belongs behind it
prepare_build() (
	dir=$1
	shift
	[ "$dir" = "$root" ] || [ ! -f "$root/config.status" ] ||
	    die "the checkout itself is configured, so that nothing can be built beside it: run make distclean in $root first"
	mkdir -p "$dir" "$root/build" 2>/dev/null
	[ -w "$dir" ] && [ -w "$root/build" ] || die "cannot write to $dir: building needs a writable checkout"
	exec 9>"$root/build/.prepare"
	flock 9                                         # two at once would write over each other
	if [ ! -x "$root/configure" ] || [ ! -f "$root/Makefile.in" ]; then
		say "preparing the build"
		cd "$root" || exit 1
		prepare_logged "$dir/autogen.log" "autogen.sh" ./autogen.sh
	fi
	exec 9>"$dir/.lock"
	flock 9
	cd "$dir" || exit 1
	if [ ! -f config.status ] || { [ "$dir" != "$root" ] && [ "$(cat .configured-with 2>/dev/null)" != "$*" ]; }; then
		say "configuring${*:+ ($*)}"
		prepare_logged "$dir/configure.log" "configure" "$root/configure" "$@"
		printf '%s' "$*" >.configured-with
	fi
	make -q >/dev/null 2>&1 || say "building (the first time takes a minute or two)"
	prepare_logged "$dir/make.log" "the build" make -j"${SILT_JOBS:-$(nproc)}"
)
