/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - siltctl: a store looked at and worked on, stopped or running. */
#include "ctl/commands.h"
#include "ctl/session.h"

#include <stdio.h>
#include <string.h>

static const char main_help[] =
	"usage: siltctl [--db DIR | --url URL] COMMAND [OPTION...]\n"
	"\n"
	"Works on a stopped store (--db) or on a running server (--url). Commands that only look leave a stopped store as it is.\n"
	"\n"
	"  get KEY               the value of a key, its bytes as they are\n"
	"  put KEY [VALUE]       store a value: VALUE, or what is in a file, or on stdin\n"
	"       --file FILE      the value is what FILE has; - is stdin\n"
	"       --ttl S          it is gone after S seconds\n"
	"       --content-type T what it is, like application/json\n"
	"       --create         with --db: make the store where there is none\n"
	"  delete KEY            delete a key\n"
	"  delete RANGE          delete all keys of a range in one write, after a question\n"
	"       --yes            without the question\n"
	"  scan [RANGE]          keys and values in order, a line each: key, TAB, value\n"
	"       --limit N        at most N entries\n"
	"       --reverse        from the last key to the first\n"
	"       --keys-only      no values\n"
	"  count [RANGE]         how many entries there are\n"
	"  export [RANGE]        all entries of one snapshot\n"
	"       --format F       ndjson: an entry a line as JSON; csv; files: a file each; default: as --output is named\n"
	"       --output PATH    into this file, or directory, which is there whole or not at all; default: stdout\n"
	"  import [SOURCE]       write what an export has: a file, a directory, or stdin\n"
	"       --format F       default: as SOURCE is named\n"
	"       --from-line N    go on from line N of ndjson and csv\n"
	"       --from-file PATH go on from a file of files\n"
	"       --no-end         ndjson: there need be no last line that counts the others\n"
	"       --literal        files: a % in a name is a %\n"
	"       --content-type T files: what all of them are\n"
	"       --create         with --db: make the store where there is none\n"
	"  stats                 the store in numbers\n"
	"  flush                 write what the log alone holds to tables\n"
	"  compact               merge everything: the space of what was deleted or replaced comes back\n"
	"  verify                read every table and check every digest and order; of a stopped store log and manifest, too\n"
	"  backup DEST           the store as it is now in a new directory of DEST; what an earlier one there holds is linked to\n"
	"       --keep N         then keep the newest N, and remove the others\n"
	"       --full           link to nothing, copy everything\n"
	"       --quick          without reading it back\n"
	"       --list           the backups in DEST\n"
	"       --verify         read every byte of the backups in DEST, or of the one that DEST is\n"
	"  restore SRC --to DIR  make the backup SRC, or the newest in SRC, a store in DIR, which is absent or empty\n"
	"\n"
	"Of a stopped store alone:\n"
	"  dump FILE             print one table, log segment or manifest, also a damaged one; needs no store\n"
	"  checkpoint NAME       keep the store as it is now in DIR/checkpoints/NAME, by links: it opens as a store of its own\n"
	"       --to PATH        in a new directory PATH instead\n"
	"       --copy           with --to: also on another file system\n"
	"       --list           the checkpoints in DIR\n"
	"       --remove NAME    remove one\n"
	"  repair                say what is damaged and what of it would be lost; changes nothing\n"
	"       --apply          and repair it: what can be read is kept, damaged files go to DIR/quarantine\n"
	"\n"
	"Of a running server alone:\n"
	"  watch                 the changes as they come, a line each: version, what, key, value\n"
	"       --since N        those after version N, too; default: from now\n"
	"       --prefix P       only of keys that begin with P\n"
	"       --limit N        end after N of them\n"
	"  top                   what it does, by the second: a live picture on a terminal, else a line each time\n"
	"       --interval S     every S seconds; default: 2\n"
	"       --once           one picture, as text\n"
	"  shutdown              flush, sync, end\n"
	"\n"
	"  bench                 durable puts, then gets, of keys of its own, which go again: of a server, or with --db DIR of a\n"
	"                        scratch store in DIR\n"
	"       --connections N  at once; default: 16\n"
	"       --seconds S      each; default: 5\n"
	"       --size N         bytes of a value; default: 100\n"
	"\n"
	"RANGE is one or more of\n"
	"       --prefix P       only keys that begin with P\n"
	"       --start S        from S on, S included\n"
	"       --end E          up to E, E not included\n"
	"\n"
	"  --if-match V          put, delete KEY: only if the key has version V; * = only if it is there\n"
	"  --if-none-match V     put, delete KEY: only if it has not version V; * = only if it is not there\n"
	"  --json                as JSON, for scripts; what is not UTF-8 as base64\n"
	"  --escaped             KEY, P, S and E are written as scan prints them\n"
	"  --db DIR              the store's directory; default: data\n"
	"  --url URL             the server, like http://localhost:8080\n"
	"       --user NAME[:PASSWORD]   log in; without PASSWORD it is asked for on the terminal\n"
	"       --cacert FILE    the authority that signed the server's certificate, in PEM\n"
	"       --timeout S      how long the server may be silent; default: 60\n"
	"  --help, --version\n"
	"\n"
	"scan escapes backslash, TAB, newline and carriage return as \\\\ \\t \\n \\r, and other control bytes and what is\n"
	"not UTF-8 as \\xNN.\n"
	"\n"
	"Exit status: 0 done; 1 the key is not there; 2 wrong usage; 3 damaged; 4 can't be read or written (no such store,\n"
	"file or server, no permission, I/O error, full disk); 5 in use by another process, or the server has no time now;\n"
	"6 anything else; 7 a condition does not hold; 8 whether a write was done is not known; 128 + N ended by signal N.\n";

static const struct {
	const char *name;
	int (*run)(const struct args *a);
} main_commands[] = {
	{ "get", get_command }, { "put", put_command }, { "delete", delete_command }, { "scan", scan_command },
	{ "count", count_command }, { "export", export_command }, { "import", import_command }, { "stats", stats_command },
	{ "flush", flush_command }, { "compact", compact_command }, { "verify", verify_command }, { "backup", backup_command },
	{ "restore", restore_command }, { "dump", dump_command }, { "checkpoint", checkpoint_command }, { "repair", repair_command },
	{ "watch", watch_command }, { "top", top_command }, { "bench", bench_command }, { "shutdown", shutdown_command },
};

static int main_run(const struct args *a)
{
	if (a->given & ARGS_HELP)
		return fputs(main_help, stdout) == EOF ? SESSION_UNREADABLE : SESSION_OK;
	if (a->given & ARGS_VERSION)
		return printf("siltctl %s\n", silt_version()) < 0 ? SESSION_UNREADABLE : SESSION_OK;
	for (size_t i = 0; a->command && i < sizeof(main_commands) / sizeof(main_commands[0]); i++)
		if (strcmp(a->command, main_commands[i].name) == 0)
			return main_commands[i].run(a);
	if (a->command)
		(void)fprintf(stderr, "siltctl: no command \"%s\"; see siltctl --help\n", a->command);
	else
		(void)fputs(main_help, stderr);
	return SESSION_USAGE;
}

int main(int argc, char **argv)
{
	struct args a;
	int status = args_parse(&a, argc, argv) ? main_run(&a) : SESSION_USAGE;

	args_fini(&a);
	return session_flush(status);
}
