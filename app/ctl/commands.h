/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - one command a file; each returns the exit status. */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include "ctl/args.h"

int backup_command(const struct args *a);
int restore_command(const struct args *a);
int watch_command(const struct args *a);
int top_command(const struct args *a);
int bench_command(const struct args *a);
int checkpoint_command(const struct args *a);
int compact_command(const struct args *a);
int count_command(const struct args *a);
int delete_command(const struct args *a);
int dump_command(const struct args *a);
int export_command(const struct args *a);
int flush_command(const struct args *a);
int get_command(const struct args *a);
int import_command(const struct args *a);
int put_command(const struct args *a);
int repair_command(const struct args *a);
int scan_command(const struct args *a);
int shutdown_command(const struct args *a);
int stats_command(const struct args *a);
int verify_command(const struct args *a);

#endif
