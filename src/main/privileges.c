/* main/privileges.c - the order matters: chroot needs CAP_SYS_CHROOT, groups CAP_SETGID, so the user comes last. */
#include "main/privileges.h"

#include "core/srv_source.h"
#include "main/proclog.h"

#include <errno.h>
#include <execinfo.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void privileges_of(const struct conf *c, struct privileges *ret_p)
{
        const struct global_cfg *g = global_of(c);

        *ret_p = (struct privileges){ g->uid, g->gid, g->chroot, srv_source_foreign(c) };
}

void privileges_prepare(void)
{
        void *frame[1];

        tzset();
        (void)backtrace(frame, 1); /* loads the unwinder: there is no file system later */
}

static int enter_root(const char *dir)
{
        return chroot(dir) == 0 && chdir("/") == 0 ? 0 : -errno;
}

static int set_groups(gid_t gid)
{
        if (geteuid() == 0 && setgroups(1, &gid) != 0)
                return -errno;
        return setresgid(gid, gid, gid) == 0 ? 0 : -errno;
}

static int set_user(uid_t uid, bool keep_groups)
{
        if (!keep_groups && geteuid() == 0 && uid != 0 && setgroups(0, NULL) != 0)
                return -errno;
        return setresuid(uid, uid, uid) == 0 ? 0 : -errno;
}

/* What may stay, as a mask of the first 32: binding to addresses of others takes CAP_NET_RAW (or CAP_NET_ADMIN, which could do more). */
static uint32_t kept(const struct privileges *p)
{
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct now[2] = { { 0 } };

        if (!p->foreign || syscall(SYS_capget, &head, now) != 0)
                return 0;
        return now[0].permitted & (1u << CAP_NET_RAW);
}

static int shrink_sets(uint32_t keep)
{
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct sets[2] = { { .effective = keep, .permitted = keep } };

        (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        return syscall(SYS_capset, &head, sets) == 0 ? 0 : -errno;
}

/* Needs CAP_SETPCAP; an unprivileged starter has nothing to bound. */
static void empty_bounding_set(void)
{
        for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
                (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

/* The kernel said yes to everything; look whether it is so. */
static int verify(const struct privileges *p, uint32_t keep)
{
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct now[2] = { { 0 } };

        if (syscall(SYS_capget, &head, now) != 0)
                return -errno;
        for (int i = 0; i < 2; i++)
                if ((now[i].effective | now[i].permitted) & ~(i == 0 ? keep : 0))
                        return -EPERM;
        if (p->uid > 0 && (setuid(0) == 0 || getuid() != (uid_t)p->uid))
                return -EPERM;
        return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -EPERM;
}

int privileges_drop(const struct privileges *p, const char **ret_what)
{
        uint32_t keep = kept(p);
        int e = 0;

        if (p->foreign && !keep)
                proclog(PROC_WARNING,
                        "'usesrc' needs CAP_NET_RAW, which this process has not: such connections will fail.");
        if (keep)
                (void)prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0); /* over the change of user; shrink_sets() then decides */
        empty_bounding_set();
        *ret_what = "Cannot chroot";
        if (p->chroot)
                e = enter_root(p->chroot);
        if (e == 0 && p->gid >= 0) {
                *ret_what = "Cannot set gid";
                e = set_groups((gid_t)p->gid);
        }
        if (e == 0 && p->uid >= 0) {
                *ret_what = "Cannot set uid";
                e = set_user((uid_t)p->uid, p->gid >= 0);
        }
        if (e == 0) {
                *ret_what = "Cannot drop capabilities";
                e = shrink_sets(keep);
        }
        if (e == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
                e = -errno;
        return e ? e : verify(p, keep);
}
