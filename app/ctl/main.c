/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - siltctl: looking at a stopped store, keeping it as it is, and repairing it. */
#include "ctl/commands.h"
#include "ctl/session.h"

#include <stdio.h>
#include <string.h>

static const char main_help[] =
	"usage: siltctl [--db DIR] COMMAND [OPTION...]\n"
	"\n"
	"Looks at a store that no process has open, without changing it; checkpoint and repair --apply change it.\n"
	"\n"
	"  stats                 numbers of the store\n"
	"  get KEY               the value of a key, its bytes as they are\n"
	"  scan                  keys and values in order, a line each: key, TAB, value\n"
	"       --prefix P       only keys that begin with P\n"
	"       --start S        from S on, S included\n"
	"       --end E          up to E, E not included\n"
	"       --limit N        at most N entries\n"
	"       --reverse        from the last key to the first\n"
	"       --keys-only      no values\n"
	"  verify                read every table, the log and the manifest, and check every digest and order\n"
	"  dump FILE             print one table, log segment or manifest, also a damaged one; needs no store\n"
	"  checkpoint NAME       keep the store as it is now in DIR/checkpoints/NAME, by links: it opens as a store of its own\n"
	"       --to PATH        in a new directory PATH instead; with --copy also on another file system\n"
	"       --list           the checkpoints in DIR\n"
	"       --remove NAME    remove one\n"
	"  repair                say what is damaged and what of it would be lost; changes nothing\n"
	"       --apply          and repair it: what can be read is kept, damaged files go to DIR/quarantine\n"
	"\n"
	"  --db DIR              the store's directory; default: data\n"
	"  --json                stats, get, scan: as JSON, an object a line; what is not UTF-8 as base64\n"
	"  --escaped             get, scan: KEY, P, S and E are written as scan prints them\n"
	"  --help, --version\n"
	"\n"
	"scan escapes backslash, TAB, newline and carriage return as \\\\ \\t \\n \\r, and other control bytes and what is\n"
	"not UTF-8 as \\xNN.\n"
	"\n"
	"Exit status: 0 done; 1 the key is not there; 2 wrong usage; 3 damaged; 4 can't be read (no such store or file,\n"
	"no permission, I/O error) or the output can't be written; 5 in use by another process; 6 anything else.\n";

static const struct {
	const char *name;
	int (*run)(const struct args *a);
} main_commands[] = {
	{ "stats", stats_command }, { "get", get_command }, { "scan", scan_command }, { "verify", verify_command },
	{ "dump", dump_command }, { "checkpoint", checkpoint_command }, { "repair", repair_command },
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
