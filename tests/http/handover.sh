#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# handover.sh - restarts in the middle of a load, with a socket that outlives the responder, as systemd does it: no acknowledged write
# is lost, what is refused is a problem, and the load goes on.
. "$(dirname "$0")/../lib/http.sh"
command -v perl >/dev/null || { skip 'restarts under load' 'no perl here'; exit 0; }
nginx='' holder=''
handover_cleanup() {
	trap '' INT TERM
	[ -z "$nginx" ] || kill -QUIT "$nginx"
	[ -z "$holder" ] || kill -TERM "$holder"
	wait
	rm -rf "$work"
} 2>/dev/null
trap handover_cleanup EXIT
# systemd in small: listens, starts the responder with the socket, and starts it again when it has ended, until told.
cat >"$work/holder" <<'PERL'
use strict; use Socket; use POSIX ();
my ($path, $pidfile, @command) = @ARGV;
$^F = 10;
my $s;
socket($s, AF_UNIX, SOCK_STREAM, 0) && bind($s, sockaddr_un($path)) && listen($s, 4096) or die "$path: $!";
POSIX::dup2(fileno($s), 3) // die $! if fileno($s) != 3;
my ($child, $over) = (0, 0);
$SIG{TERM} = sub { $over = 1; kill 'TERM', $child if $child };
my $generation = 0;
until ($over) {
	$child = fork() // die $!;
	if (!$child) { @ENV{qw(LISTEN_FDS LISTEN_PID LISTEN_FDNAMES)} = (1, $$, 'fcgi'); exec @command or die $! }
	open(my $f, '>', "$pidfile.new") or die $!; print $f $child, ' ', ++$generation, "\n"; close $f; rename "$pidfile.new", $pidfile;
	1 while waitpid($child, 0) != $child && $!{EINTR};
	die "the responder ended with $?\n" if $? != 0;
	$child = 0;
}
PERL
perl "$work/holder" "$work/s.sock" "$work/pid" "$SILT_RESPONDER" --db "$data" --memory 32M --memtable-size 1M --wal-segment-size 4M --log-level warning 2>>"$work/serve.log" &
holder=$!
within 10 test -S "$work/s.sock"
site_files "$work/s.sock"
site_conf 'worker_processes 2;'
site_nginx 2>>"$work/nginx.log" &
nginx=$!
answers() { request /readyz; [ "$status" = 200 ]; }
that 'it serves' within 20 answers
[ "$failures" = 0 ] || finish

# writer N: PUT of N-1, N-2, ... over one kept connection, a line "KEY STATUS" each, until the file `stop` is there
writer() {
	local n=0 i

	while [ ! -e "$work/stop" ] && [ "$n" -lt 20000 ]; do
		for i in 1 2 3 4 5 6 7 8 9 10; do
			n=$((n + 1))
			printf 'url = "%s/v1/kv/w%s-%s"\nrequest = PUT\ndata = "v%s"\noutput = /dev/null\nwrite-out = "w%s-%s %%{http_code}\\n"\nnext\n' "$url" "$1" "$n" "$n" "$1" "$n"
		done | sed '$d' >"$work/batch$1"
		curl -s -m 60 -K "$work/batch$1" >>"$work/acks$1"
	done
}
writers=()
for i in 1 2 3 4 5 6; do
	writer "$i" &
	writers+=($!)
done
acknowledged() { cat "$work"/acks? 2>/dev/null | grep -c ' 20[14]$'; }
more_than() { [ "$(acknowledged)" -gt "$1" ]; }
generation() { cut -d' ' -f2 "$work/pid"; }
younger_than() { [ "$(generation)" -gt "$1" ]; }
within 30 more_than 50
for i in 1 2 3 4; do
	was=$(generation)
	before=$(acknowledged)
	kill -TERM "$(cut -d' ' -f1 "$work/pid")"
	that "restart $i: the next one is started" within 30 younger_than "$was"
	that "restart $i: the load goes on" within 30 more_than $((before + 60))
	before=$(acknowledged)
	kill -HUP "$nginx"
	that "nginx is told to reload $i: the load goes on" within 30 more_than $((before + 60))
done
touch "$work/stop"
wait "${writers[@]}"
all=$(cat "$work"/acks? | wc -l)
good=$(acknowledged)
refused=$(cat "$work"/acks? | grep -c ' 50[23]$')
that "of $all writes $good are acknowledged, and what was refused ($refused) is 502 or 503" [ "$((good + refused))" = "$all" ]
that 'most clients see but a pause: fewer than one in twenty is refused' [ "$((refused * 20))" -lt "$all" ]
grep -h ' 20[14]$' "$work"/acks? | sort -u | cut -d' ' -f1 >"$work/promised"
while read -r key; do
	printf 'url = "%s/v1/kv/%s"\noutput = /dev/null\nwrite-out = "%s %%{http_code}\\n"\nnext\n' "$url" "$key" "$key"
done <"$work/promised" | sed '$d' >"$work/check"
curl -s -K "$work/check" >"$work/found"
that "no acknowledged write is lost" [ "$(grep -c ' 200$' "$work/found")" = "$(wc -l <"$work/promised")" ]
kill -TERM "$holder"
wait "$holder"
that 'the end is clean' [ $? = 0 ]
holder=''
finish
