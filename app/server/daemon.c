/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.c - the life of the process between its options and its exit status.
 *
 * Signals   are blocked in every thread and read from a descriptor here, so no handler ever runs: but for the second SIGTERM or
 *           SIGINT, which by then has one that ends the process at once. FCGX_Init() installs handlers that swallow SIGTERM,
 *           SIGUSR1 and SIGPIPE: ours are set afterwards.
 * Order     socket (cheap, and says "already served") -> store (may recover) -> reactors -> READY
 *           drained -> threads joined -> store closed -> server freed -> socket unlinked
 */
#include "server/daemon.h"

#include "server/listen.h"
#include "server/logger.h"
#include "server/notify.h"
#include "server/patience.h"
#include "server/route.h"
#include "server/server.h"
#include "store/store.h"

#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define DAEMON_STATUS_MS 15000        /* how old the status text may be where nobody asked for a watchdog */

struct daemon {
	struct options *options;
	int argc;
	char *const *argv;
	struct logger log;
	struct listener listener;
	struct notify notify;
	struct patience patience;
	int signal_fd;
	struct store *store;
	struct server *server;
	bool stopping;
	bool signalled;               /* by SIGTERM or SIGINT */
};

/* ---- signals ----------------------------------------------------------------------------------------------------------- */

static void daemon_exit_now(int signal_number)
{
	(void)signal_number;
	_exit(1);
}

static void daemon_set_action(int signal_number, void (*handler)(int))
{
	struct sigaction a = { .sa_handler = handler };

	(void)sigemptyset(&a.sa_mask);
	(void)sigaction(signal_number, &a, NULL);
}

/* A signal that comes a second time is answered at once, also while the main thread waits in close. */
static void daemon_arm_second(void)
{
	sigset_t set;

	daemon_set_action(SIGTERM, daemon_exit_now);
	daemon_set_action(SIGINT, daemon_exit_now);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static int daemon_init_signals(struct daemon *d)
{
	sigset_t set;

	daemon_set_action(SIGTERM, SIG_DFL);                       /* an ignored one would not reach the descriptor */
	daemon_set_action(SIGINT, SIG_DFL);
	daemon_set_action(SIGHUP, SIG_DFL);
	daemon_set_action(SIGUSR1, SIG_DFL);
	daemon_set_action(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signal_fd < 0 ? -1 : 0;
}

/* ---- what systemd hears while it serves --------------------------------------------------------------------------------- */

static uint64_t daemon_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* With a status text: what `systemctl status` shows. */
static void daemon_say(const struct daemon *d, const char *state)
{
	struct server_gauges g = { 0 };
	int rc = d->store->ops->ready(d->store);

	if (d->stopping)
		(void)notify_send(&d->notify, "%s", state);        /* why it stops is said already, and stays */
	else if (rc != STORE_OK)
		(void)notify_send(&d->notify, "%s\nSTATUS=Serving %.256s, reads only: %s", state, d->options->db, store_strerror(rc));
	else {
		if (d->server->gauges != NULL)
			d->server->gauges(d->server, &g);
		(void)notify_send(&d->notify, "%s\nSTATUS=Serving %.256s: %llu connections, %llu requests answered", state,
		                  d->options->db, (unsigned long long)g.connections,
		                  (unsigned long long)atomic_load_explicit(&d->server->requests, memory_order_relaxed));
	}
}

/* ---- what may happen while it serves ------------------------------------------------------------------------------------ */

static void daemon_stop(struct daemon *d, bool restart, const char *why)
{
	if (d->stopping)
		return;
	d->stopping = true;
	logger_log(&d->log, LOG_LEVEL_NOTICE, "stopping: %s", why);
	(void)notify_send(&d->notify, "STOPPING=1\nSTATUS=Stopping: %s", why);
	if (restart && d->listener.source == LISTEN_SYSTEMD)
		atomic_store_explicit(&d->server->handing_over, true, memory_order_relaxed);
	server_drain(d->server);
}

static void daemon_say_changed(void *ctx, const char *key, bool live)
{
	struct daemon *d = ctx;

	logger_log(&d->log, LOG_LEVEL_NOTICE, live ? "%s: changed" : "%s: changed, and needs a restart to count", key);
}

static void daemon_reload(struct daemon *d)
{
	char error[OPTIONS_ERROR_MAX];
	struct options fresh;

	(void)notify_send(&d->notify, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)daemon_now_us());
	if (options_load(&fresh, d->argc, d->argv, error) < 0) {
		logger_log(&d->log, LOG_LEVEL_ERROR, "the configuration stays as it was: %s", error);
	} else {
		if (fresh.log_level > d->options->log_level)
			logger_set_level(&d->log, (int)fresh.log_level);   /* now, so that the lines below are written */
		options_diff(d->options, &fresh, daemon_say_changed, d);
		logger_log(&d->log, LOG_LEVEL_NOTICE, "configuration read again");
		d->options->log_level = fresh.log_level;
		logger_set_level(&d->log, (int)fresh.log_level);
	}
	options_fini(&fresh);
	daemon_say(d, "READY=1");
}

static void daemon_on_signal(struct daemon *d)
{
	struct signalfd_siginfo info;

	while (read(d->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			if (!d->stopping)                          /* else systemd would hear READY=1 behind STOPPING=1 */
				daemon_reload(d);
			continue;
		}
		if (!d->signalled)
			daemon_arm_second();
		d->signalled = true;
		daemon_stop(d, true, info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
	}
}

/* Until every reactor has ended. The beat comes at its time, however often something else happens. */
static void daemon_watch(struct daemon *d)
{
	enum { SIGNAL, STOP, DRAINED, WATCHED };
	struct pollfd fds[WATCHED] = {
		[SIGNAL] = { .fd = d->signal_fd, .events = POLLIN },
		[STOP] = { .fd = d->server->stop_fd, .events = POLLIN },
		[DRAINED] = { .fd = d->server->drained_fd, .events = POLLIN },
	};
	uint64_t beat_ms = d->notify.watchdog_ms > 0 ? d->notify.watchdog_ms : DAEMON_STATUS_MS;
	uint64_t now = daemon_now_us() / 1000, next = now + beat_ms;

	while (!fds[DRAINED].revents) {
		int n = poll(fds, WATCHED, d->notify.fd < 0 ? -1 : (int)(next - now));

		now = daemon_now_us() / 1000;
		if (now >= next) {
			if (server_alive(d->server))
				daemon_say(d, "WATCHDOG=1");
			next = now + beat_ms;
		}
		if (n <= 0)
			continue;
		if (fds[SIGNAL].revents)
			daemon_on_signal(d);
		if (fds[STOP].revents) {
			daemon_stop(d, false, "asked for over HTTP");
			fds[STOP].fd = -1;
		}
	}
}

/* ---- opening and closing ------------------------------------------------------------------------------------------------ */

static void daemon_raise_file_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);                /* else there are fewer connections and tables; not fatal */
	}
}

static void daemon_log_store(void *ctx, int level, const char *message)
{
	struct daemon *d = ctx;

	logger_log(&d->log, level, "%s", message);
}

static int daemon_open_store(struct daemon *d)
{
	const struct options *o = d->options;
	struct store_engine_options e = {
		.dir = o->db, .memory = o->memory, .memtable_size = o->memtable_size, .wal_segment_size = o->wal_segment_size,
		.flush_interval_ms = o->flush_interval, .table_size = o->table_size,
		.compaction_interval_ms = o->compaction_interval, .sync_interval_ms = o->sync_interval,
		.level_base_size = o->level_base_size, .min_free_space = o->min_free_space,
		.change_log_size = o->change_log_size,
		.filter_bits_per_key = (int)o->filter_bits_per_key, .block_size = (uint32_t)o->block_size,
		.compaction_trigger = (uint32_t)o->compaction_trigger, .compression = (int)o->compression,
		.compression_bottom = (int)o->compression_bottom, .log = daemon_log_store, .log_ctx = d,
	};
	int rc = store_engine_open(&e, &d->store);

	if (rc != STORE_OK)
		logger_log(&d->log, LOG_LEVEL_ERROR, "can't open the store in %s: %s", o->db, store_strerror(rc));
	return rc;
}

/* One a core at most: a reactor never waits, so more than that only take turns. */
static unsigned daemon_reactors(const struct options *o)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t wanted = o->reactors == 0 ? 2 : o->reactors;

	if (cores < 1)
		cores = 1;
	return wanted > (uint64_t)cores ? (unsigned)cores : (unsigned)wanted;
}

static bool daemon_hand_over(void *ctx, int fd)
{
	const struct daemon *d = ctx;

	return notify_store(&d->notify, fd, LISTEN_KEPT);
}

/* systemd's copies go too: with them a connection that we close would stay open. */
static void daemon_adopt(struct daemon *d)
{
	if (d->listener.kept_count == 0)
		return;
	logger_log(&d->log, LOG_LEVEL_NOTICE, "going on with %zu connections", d->listener.kept_count);
	if (!notify_send(&d->notify, "FDSTOREREMOVE=1\nFDNAME=" LISTEN_KEPT))
		logger_log(&d->log, LOG_LEVEL_WARNING,
		           "systemd can't be told to let go of its copies of them: what is closed here stays open for the web server");
	while (d->listener.kept_count > 0)
		server_adopt(d->server, d->listener.kept[--d->listener.kept_count]);
}

static int daemon_start_server(struct daemon *d)
{
	const struct options *o = d->options;
	struct server_setup setup = {
		.listen_fd = d->listener.fd, .reactors = daemon_reactors(o), .workers = (unsigned)o->workers,
		.request_timeout_ms = o->request_timeout, .transfer_timeout_ms = o->transfer_timeout,
		.store = d->store, .log = &d->log,
		.limits = { .max_value_size = o->max_value_size, .max_request_size = o->max_request_size,
		            .max_parked = o->max_parked, .max_wait_ms = o->max_wait, .max_page_entries = o->max_page_entries,
		            .max_page_size = o->max_page_size, .max_streams = o->max_streams, .max_batch_ops = o->max_batch_ops,
		            .max_answer_bytes = o->max_answer_memory, .max_stream_ms = o->max_stream_time },
		.durability_async = o->durability == 1, .socket_activated = d->listener.source == LISTEN_SYSTEMD,
		.hosts = (const char *const *)o->host_list, .dispatch = route_dispatch,
		.hand_over = d->listener.source == LISTEN_SYSTEMD && d->notify.fd >= 0 ? daemon_hand_over : NULL, .hand_over_ctx = d,
	};
	int rc;

	if (setup.limits.max_value_size > o->wal_segment_size / 2)
		setup.limits.max_value_size = o->wal_segment_size / 2;     /* what the log takes at most */
	rc = server_new(&setup, &d->server);
	if (rc == 0)
		rc = server_start(d->server);
	if (rc != 0)
		logger_log(&d->log, LOG_LEVEL_ERROR, "can't start: %s", strerror(rc));
	else
		logger_log(&d->log, LOG_LEVEL_NOTICE, "siltstone %s serves %s on %s", PACKAGE_VERSION, o->db,
		           listen_name(&d->listener));
	return rc;
}

static int daemon_open_socket(struct daemon *d)
{
	const struct options *o = d->options;
	struct listen_options lo = { .address = o->listen, .mode = (mode_t)o->listen_mode, .group = o->listen_group };
	char error[LISTEN_ERROR_MAX];

	if (listen_open(&lo, &d->listener, error) == 0)
		return 0;
	logger_log(&d->log, LOG_LEVEL_ERROR, "%s", error);
	return -1;
}

static int daemon_open(struct daemon *d)
{
	int rc;

	if (FCGX_Init() != 0 || daemon_init_signals(d) < 0) {
		logger_log(&d->log, LOG_LEVEL_ERROR, "can't set up FastCGI and signals: %s", strerror(errno));
		return -1;
	}
	daemon_raise_file_limit();
	if (daemon_open_socket(d) < 0)
		return -1;
	patience_begin(&d->patience, &d->notify, "Opening", d->options->db, PATIENCE_EVERY_MS);
	rc = daemon_open_store(d);
	patience_end(&d->patience);
	if (rc != STORE_OK)
		return -1;
	if (daemon_start_server(d) != 0)
		return -1;
	daemon_adopt(d);
	return 0;
}

static int daemon_close_store(struct daemon *d)
{
	int rc = d->store == NULL ? STORE_OK : d->store->ops->close(d->store);

	d->store = NULL;
	if (rc != STORE_OK)
		logger_log(&d->log, LOG_LEVEL_ERROR, "closing the store failed: %s", store_strerror(rc));
	return rc;
}

static int daemon_close(struct daemon *d)
{
	int rc;

	if (d->store != NULL)                              /* a compaction that was asked for is waited for, too */
		patience_begin(&d->patience, &d->notify, "Closing", d->options->db, PATIENCE_EVERY_MS);
	if (d->server != NULL)
		server_join(d->server);
	rc = daemon_close_store(d);
	patience_end(&d->patience);
	server_free(d->server);
	listen_close(&d->listener);
	notify_fini(&d->notify);
	if (d->signal_fd >= 0)
		(void)close(d->signal_fd);
	return rc;
}

int daemon_run(struct options *o, int argc, char *const *argv)
{
	struct daemon d = { .options = o, .argc = argc, .argv = argv, .listener = { .fd = -1 }, .signal_fd = -1 };
	bool served;
	int rc;

	logger_init(&d.log, STDERR_FILENO, (int)o->log_level);
	notify_init(&d.notify);
	served = daemon_open(&d) == 0;
	if (served) {
		daemon_say(&d, "READY=1");
		daemon_watch(&d);
	}
	rc = daemon_close(&d);
	if (served)
		logger_log(&d.log, LOG_LEVEL_NOTICE, rc == STORE_OK ? "closed" : "closed with an error");
	return served && rc == STORE_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
