/* core/role.h - the roles of the program and what a role's process gets (design.md section 2).
 *
 * A role is a row; main/ forks and execs the binary with `--role NAME` and a channel on fd 3. Features add roles (vip, control, demo
 * server) without main knowing them. */
#ifndef CORE_ROLE_H
#define CORE_ROLE_H

struct role {
        const char *name; /* "worker" */
        const char *help; /* for --help-roles and the man page */
        /* argv as the process got it: argv[2] is the role. channel_fd -1 when started by hand. Returns the exit code. */
        int (*main)(int argc, char **argv, int channel_fd);
};

#define ROLE(id) static const struct role *const id##_role_reg __attribute__((used, section("telamon_role"))) = &id

const struct role *role_find(const char *name); /* NULL when unknown */

/* Sub-commands of the binary (`telamon plan ...`, `telamon ctl ...`) are rows too. */
struct verb {
        const char *name, *args, *help;
        int (*main)(int argc, char **argv); /* argv[0] is the verb */
};

#define VERB(id) static const struct verb *const id##_verb_reg __attribute__((used, section("telamon_verb"))) = &id

const struct verb *verb_find(const char *name);
const struct verb *const *verb_all(unsigned *ret_n);

#endif
