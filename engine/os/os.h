/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os.h - the seam: every system call on files, directories, locks, clock and chance that the engine makes.
 *
 * Two implementations: os_posix() here, and the simulated disk in tests/lib. Paths are plain strings; the engine uses
 * "<dir>/<name>". Calls return 0 or > 0 as said, or SILT_E_IO, SILT_E_NOSPACE (ENOSPC, EDQUOT), SILT_E_NOMEM, SILT_NOTFOUND
 * (ENOENT), SILT_E_BUSY (EEXIST, ENOTEMPTY; a lock held elsewhere); error_text() of the last failure in this thread is for
 * the message of whoever reports. EINTR is retried inside, but never for a sync; short transfers are finished inside.
 * Outputs are untouched on failure.
 * Threads   any; a file's pread may run beside its pwrite.
 */
#ifndef OS_OS_H
#define OS_OS_H

#include <siltstone.h>

struct os_file;                   /* opaque; each implementation has its own */
struct os_lock;

enum os_open_flags {
	OS_READ = 1,
	OS_WRITE = 2,
	OS_CREATE = 4,            /* O_CREAT | O_EXCL: SILT_E_BUSY where it exists */
};

struct os_stat {
	uint64_t size;
	uint64_t links;
	uint64_t allocated;       /* bytes on disk */
	bool is_dir;
};

typedef int os_list_fn(void *ctx, const char *name);     /* 0 = go on; else the listing ends and returns it */

struct silt_os {
	const char *name;
	/* files */
	int (*open)(silt_os *os, const char *path, unsigned flags, struct os_file **out);
	int (*read)(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n, size_t *got); /* less only at the end */
	bool (*read_now)(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n); /* all of it, and without waiting; else ask read(). May be NULL */
	int (*write)(silt_os *os, struct os_file *f, uint64_t offset, const void *buf, size_t n);       /* all or an error; part may be there */
	int (*datasync)(silt_os *os, struct os_file *f);
	void (*range_sync)(silt_os *os, struct os_file *f, uint64_t offset, uint64_t n);  /* start write-back: a hint */
	void (*drop_cache)(silt_os *os, struct os_file *f);      /* so that the next read comes from the disk: a hint */
	int (*size)(silt_os *os, struct os_file *f, uint64_t *out);
	int (*close)(silt_os *os, struct os_file *f);            /* f is gone whatever it returns */
	/* names */
	int (*rename)(silt_os *os, const char *from, const char *to);
	int (*link)(silt_os *os, const char *from, const char *to);
	int (*unlink)(silt_os *os, const char *path);
	int (*mkdir)(silt_os *os, const char *path);             /* mode 0750; SILT_E_BUSY where it exists */
	int (*rmdir)(silt_os *os, const char *path);
	int (*stat)(silt_os *os, const char *path, struct os_stat *out);
	int (*list)(silt_os *os, const char *dir, os_list_fn *fn, void *ctx);   /* names without . and .., any order */
	int (*dirsync)(silt_os *os, const char *dir);
	int (*lock)(silt_os *os, const char *path, struct os_lock **out);       /* made where absent; OFD lock */
	void (*unlock)(silt_os *os, struct os_lock *l);
	int (*free_space)(silt_os *os, const char *dir, uint64_t *bytes);       /* for unprivileged users */
	/* time and chance */
	uint64_t (*wall_ms)(silt_os *os);
	uint64_t (*mono_ns)(silt_os *os);
	int (*random)(silt_os *os, void *buf, size_t n);
	const char *(*error_text)(silt_os *os);                  /* of this thread's last failure, with the call's name */
};

/* The real one; it has no state, never freed. */
silt_os *os_posix(void);

/* What several rooms need over it. */
int os_read_full(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n) SILT_MUST_CHECK; /* short = SILT_E_CORRUPT */
/* All of a file, under a name that must be free; synced, but for the name. What fails may leave a part under it. */
int os_copy(silt_os *os, const char *from, const char *to) SILT_MUST_CHECK;

#endif
