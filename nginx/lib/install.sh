#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# install.sh PACKAGE... - the one thing here that needs root: apt-get. Run by prepare.sh, through sudo where that is needed.
#
# Promise   what is installed is not upgraded, nothing is removed, and no service that comes along is started or enabled: while
#           dpkg runs, /usr/sbin/policy-rc.d says no to every start; one that was there before is put back, also on Ctrl-C.

set -u
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
PATH=$PATH:/usr/sbin:/sbin
policy=/usr/sbin/policy-rc.d
kept=

restore_policy() {
	rm -f "$policy"
	[ -z "$kept" ] || mv -f "$kept" "$policy"
}

forbid_starts() {
	if [ -e "$policy" ] || [ -L "$policy" ]; then
		kept=$policy.kept-by-siltstone
		mv -f "$policy" "$kept" || exit 1
	fi
	trap restore_policy EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
}

apt() {
	apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# The lists are fetched where a package is not known yet, and again where what they promise is no longer there.
install_packages() {
	if apt-cache show --no-all-versions "$@" >/dev/null 2>&1 &&
	    apt install --no-upgrade --no-remove --no-install-recommends "$@"; then
		return 0
	fi
	apt update || echo "install.sh: apt-get update had errors; going on with what it got" >&2
	apt install --no-upgrade --no-remove --no-install-recommends "$@"
}

# A web server that nobody asked for must not be up after the next boot either.
disable_nginx() {
	if command -v systemctl >/dev/null; then
		systemctl --quiet disable nginx.service 2>/dev/null
	fi
	if command -v deb-systemd-helper >/dev/null; then
		deb-systemd-helper disable nginx.service >/dev/null 2>&1
	fi
	if command -v update-rc.d >/dev/null; then
		update-rc.d nginx disable >/dev/null 2>&1
	fi
	return 0
}

had_nginx=$(command -v nginx)
forbid_starts
install_packages "$@"
rc=$?
if [ -z "$had_nginx" ] && command -v nginx >/dev/null; then
	disable_nginx
fi
exit "$rc"
