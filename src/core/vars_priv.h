/* core/vars_priv.h - what core/vars.c (owners), core/vars_name.c (names) and core/vars_proc.c (proc.x) share. */
#ifndef CORE_VARS_PRIV_H
#define CORE_VARS_PRIV_H

#include "core/vars.h"

enum { VAR_BUCKETS = 8, VAR_COST = 88 /* of one, without its bytes: as HAProxy 3.4 counts it */ };

struct box;

struct proc {
        _Atomic uint32_t seq; /* odd while a writer is at it; its release pairs with the readers' acquire */
        _Atomic uint32_t type, n, meth;
        _Atomic uint64_t a, b; /* the value, or nothing when it is bytes */
        _Atomic(struct box *) box;
};

struct var_name {
        enum var_scope scope;
        uint32_t n, bucket;
        struct proc proc;
        char text[];
};

/* ---- values: two words, or bytes ---- */
bool var_is_bytes(uint32_t type);
struct str var_bytes(const struct smp *s);
void var_pack(const struct smp *s, uint64_t ret_v[2]);
void var_unpack(uint32_t type, const uint64_t v[2], int meth, struct str bytes, struct smp *ret_smp);
/* Do the conditions hold? was->type: SMP_ANY when it is not set. */
bool var_holds(unsigned conds, bool exists, const struct smp *was, const struct smp *s);

/* ---- limits ---- */
bool var_limited(void);
bool var_charge(int64_t d, bool check); /* the process's counters */

/* ---- proc.x in force ---- */
bool var_proc_get(const struct var_name *n, struct smp *ret_smp);
bool var_proc_set(const struct var_name *n, unsigned conds, const struct smp *s);
void var_proc_unset(const struct var_name *n);

#endif
