/*
 * What POSIX.1-2008 does not say and some system lacks.  Every difference
 * between systems that the library needs is hidden here.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include <sys/types.h>

#include <stddef.h>
#include <stdio.h>

#if defined(__GNUC__)
#define COMPAT_PRINTF(a, b) __attribute__((format(printf, a, b)))
#define COMPAT_NORETURN     __attribute__((noreturn))
#else
#define COMPAT_PRINTF(a, b)
#define COMPAT_NORETURN
#endif

/*
 * compat_rename_new: rename without replacing what is there.
 *
 * 0, or -1 with errno; EEXIST when the new name is taken.  Atomic where the
 * system can (renameat2, renamex_np), by link and unlink elsewhere.
 */
int compat_rename_new(const char *from, const char *to);

/*
 * compat_sync_all: flush all that was written to the file system that fd is
 * on, whoever wrote it.
 *
 * One flush of the disk instead of one for each file.  0, or -1 where the
 * system cannot, or when something was not written: then fsync tells.
 */
int compat_sync_all(int fd);

/*
 * compat_random: n bytes from the system's generator.
 *
 * Ends the process when the system has none: nothing here may go on with
 * keys that can be guessed.
 */
void compat_random(void *p, size_t n);

/* The number of processors that threads of this process may run on, >= 1. */
int compat_cpus(void);

#endif
