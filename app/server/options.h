/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - what the responder is told: defaults, then the configuration file, then flags; each overrides the one before.
 *
 * File      "key = value" lines, '#' or ';' begins a comment line; an unknown or repeated key, or a bad value, is an error that names
 *           file and line. A [siltstone] section is tolerated. Every key is a flag, too: wal_segment_size is --wal-segment-size.
 * Units     sizes 4096, 64K, 64M, 2G (binary); times 250ms, 30s, 5m, 12h, 7d. Zero needs no unit.
 */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum options_action { OPTIONS_RUN, OPTIONS_CHECK, OPTIONS_VERSION, OPTIONS_HELP };

struct options {
	enum options_action action;
	char *config;                 /* the file that was read; NULL = none */
	/* texts: never NULL once loaded, "" = none */
	char *db, *listen, *listen_group, *hosts;
	/* numbers: bytes, milliseconds, or what options_keys.c says beside each */
	uint64_t listen_mode;
	uint64_t memory, memtable_size, wal_segment_size, flush_interval, filter_bits_per_key, block_size, table_size;
	uint64_t compaction_trigger, compaction_interval, level_base_size, compression, compression_bottom;
	uint64_t sync_interval, min_free_space, change_log_size;
	uint64_t durability;          /* 0 sync, 1 async */
	uint64_t reactors;            /* 0 = by the number of cores */
	uint64_t workers;
	uint64_t max_value_size, max_request_size, max_parked, max_wait;
	uint64_t max_page_entries, max_page_size, max_streams, max_batch_ops, max_answer_memory;
	uint64_t max_stream_time, transfer_timeout, request_timeout;
	uint64_t log_level;           /* as syslog: 3..7 */
	char **host_list;             /* of hosts, NULL-ended; NULL where hosts is "*" */
};

#define OPTIONS_ERROR_MAX 512

/* Defaults, file, flags. 0, or -1 with a message for people in error[OPTIONS_ERROR_MAX]; end with options_fini() in either case. */
int options_load(struct options *o, int argc, char *const *argv, char *error);
void options_fini(struct options *o);

/* What --help prints: every flag with unit, range and default. */
void options_help(FILE *out);
/* "key = value" for each key, as loaded: what would be used. */
void options_print(const struct options *o, FILE *out);
/* Calls changed() with each key whose value differs, and whether the new one can be taken over while running. */
void options_diff(const struct options *a, const struct options *b, void (*changed)(void *ctx, const char *key, bool live), void *ctx);

#endif
