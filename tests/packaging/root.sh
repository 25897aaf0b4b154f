# SPDX-License-Identifier: Apache-2.0
# root.sh - a bare Debian 12 to try things in; sourced.

# make_root DIRECTORY: minimal, with the ways to the packages that this machine has, and nothing else of its configuration. SILT_BARE_ROOT
# is one that was made before, to be copied.
make_root() {
	local bare=$1 mirror f

	if [ -n "${SILT_BARE_ROOT:-}" ]; then
		cp -a "$SILT_BARE_ROOT" "$bare"
		return
	fi
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m 1 -E '/debian/?$')
	echo "debootstrap from ${mirror:=http://deb.debian.org/debian}"
	debootstrap --variant=minbase bookworm "$bare" "$mirror" >"$bare.log" 2>&1 || { tail -n 20 "$bare.log"; return 1; }
	cp -rL /etc/apt/keyrings "$bare/etc/apt/" 2>/dev/null
	cp -L /usr/share/keyrings/*.gpg "$bare/usr/share/keyrings/" 2>/dev/null
	rm -f "$bare/etc/apt/sources.list"
	cp -L /etc/apt/sources.list "$bare/etc/apt/" 2>/dev/null
	cp -L /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources "$bare/etc/apt/sources.list.d/" 2>/dev/null
	for f in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
		! grep -qs 'Acquire' "$f" || cp -L "$f" "$bare/etc/apt/apt.conf.d/"
	done
	# npm's way is a registry, and whom this machine trusts; /etc/npmrc is what Debian's npm reads beside its user's own
	if command -v npm >/dev/null; then
		cp -L /etc/ssl/certs/ca-certificates.crt "$bare/srv/trusted.crt" 2>/dev/null &&
		    printf 'registry=%s\ncafile=/srv/trusted.crt\n' "$(npm config get registry 2>/dev/null)" >"$bare/etc/npmrc"
	fi
	cp -L /etc/resolv.conf /etc/hosts "$bare/etc/"
}
