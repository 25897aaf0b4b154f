#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes ./configure out of configure.ac and Makefile.am. Needs autoconf, automake, libtool, pkg-config.
set -eu
cd "$(dirname "$0")"
for tool in autoreconf automake libtoolize pkg-config; do
	command -v "$tool" >/dev/null 2>&1 || {
		echo "autogen.sh: $tool is missing; on Debian: apt-get install autoconf automake libtool pkg-config" >&2
		exit 1
	}
done
mkdir -p m4 build-aux
autoreconf --install --force --warnings=all
echo "Now run ./configure (or, out of tree: mkdir build && cd build && ../configure)."
