/* A process that reads strangers' bytes locks itself up, for good: no files, no network, no other process,
 * little memory.
 *
 * In this order: another user and no capabilities (when it is root), death with its parent, no dump, rlimits,
 * no new privileges, Landlock (whatever of it the kernel has), seccomp. What libraries may ask for and can do
 * without (opening or looking at a file, terminal settings) is refused with EACCES or ENOTTY; every other
 * call that is not on the list of seccomp kills the process with SIGSYS. Memory is never executable.
 *
 * The only file that knows libseccomp. Built with a sanitizer, memory is not limited, since the sanitizer
 * reserves terabytes. */
#pragma once

#include <glib.h>
#include <sys/types.h>

#if defined(__SANITIZE_ADDRESS__)
#define CONFINE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONFINE_SANITIZED 1
#endif
#endif
#ifndef CONFINE_SANITIZED
#define CONFINE_SANITIZED 0
#endif

struct confine_rules {
    uid_t uid;         /* to be, when it is root; otherwise nothing changes */
    gid_t gid;         /* to be, without any other group */
    pid_t parent;      /* with which it dies */
    guint descriptors; /* the first ones, which stay open; the others are closed */
    guint files;       /* more of them that it may open by receiving or duplicating */
    guint64 memory;    /* bytes of address space */
    gboolean no_open;  /* to look for a file kills it, too */
    guint64 file_size; /* bytes of a file that it writes to: more fail with EFBIG, and raise SIGXFSZ unless
                          that is ignored */
};

/* Applied to the calling process, which must have one thread. *landlock_r is the version of Landlock that was
 * used, 0 when the kernel has none. FALSE with WS_ERROR_SYSTEM: then the process must end. */
gboolean confine_self(const struct confine_rules *rules, int *landlock_r, GError **error);

/* Network, mounts and System V objects of its own for the calling process and its children, as far as its
 * rights allow: what is not allowed is left. */
void confine_namespaces(void);
