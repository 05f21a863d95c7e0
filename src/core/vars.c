/* core/vars.c - see vars.h. Hot: var_get(), var_set_if() (one walk over the few variables of a bucket, by the name's address). */
#include "core/vars_priv.h"
#include "base/slab.h"
#include "core/sess.h"

enum { OWN_BYTES = 64 };

struct var {
        struct var *next;
        const struct var_name *name;
        uint32_t type, n, cap; /* bytes: n of cap at p */
        int meth;
        uint64_t v[2]; /* what is not bytes */
        char *p;       /* own, or of mem_get() */
        char own[OWN_BYTES];
};

struct vars {
        struct var *head[VAR_BUCKETS];
        uint64_t bytes, bytes_reqres; /* counted while there is a limit; `bytes` with all finer scopes */
        bool answering;               /* a stream: the variables of its request are gone */
};

/* ---- limits ---- */

static _Atomic uint64_t limit_global, limit_proc, limit_sess, limit_txn, limit_reqres, limit_check;
static atomic_bool limited;
static _Atomic uint64_t used_global, used_proc;

void var_limits_set(const struct var_limits *l)
{
        atomic_store_explicit(&limit_global, l->global, memory_order_relaxed);
        atomic_store_explicit(&limit_proc, l->proc, memory_order_relaxed);
        atomic_store_explicit(&limit_sess, l->sess, memory_order_relaxed);
        atomic_store_explicit(&limit_txn, l->txn, memory_order_relaxed);
        atomic_store_explicit(&limit_reqres, l->reqres, memory_order_relaxed);
        atomic_store_explicit(&limit_check, l->check, memory_order_relaxed);
        atomic_store_explicit(&limited, l->global || l->proc || l->sess || l->txn || l->reqres || l->check,
                              memory_order_relaxed);
}

bool var_limited(void)
{
        return atomic_load_explicit(&limited, memory_order_relaxed);
}

static bool over(const _Atomic uint64_t *limit, uint64_t used)
{
        uint64_t l = atomic_load_explicit(limit, memory_order_relaxed);

        return l && used > l;
}

/* Adds to a counter of all threads unless its limit would be passed: exact. */
static bool charge_shared(_Atomic uint64_t *used, const _Atomic uint64_t *limit, int64_t d)
{
        uint64_t now = atomic_fetch_add_explicit(used, (uint64_t)d, memory_order_relaxed) + (uint64_t)d;

        if (d <= 0 || !over(limit, now))
                return true;
        atomic_fetch_sub_explicit(used, (uint64_t)d, memory_order_relaxed);
        return false;
}

bool var_charge(int64_t d, bool check)
{
        if (!charge_shared(&used_global, &limit_global, d))
                return false;
        if (check || charge_shared(&used_proc, &limit_proc, d))
                return true;
        (void)charge_shared(&used_global, &limit_global, -d);
        return false;
}

/* ---- where they are ---- */

struct vars_thr {
        size_t size; /* of this block, for mem_put() */
        struct slab owners, vars;
};

static unsigned local_index;

static void thr_fini(void *p)
{
        struct vars_thr *t = p;

        slab_fini(&t->owners);
        slab_fini(&t->vars);
        mem_put(t, t->size);
}

__attribute__((constructor)) static void reserve_index(void)
{
        local_index = thr_local_index(thr_fini);
}

static struct vars_thr *mine(void)
{
        struct vars_thr *t = thr_self->local[local_index];
        size_t size;

        if (likely(t))
                return t;
        t = mem_get(sizeof(*t), &size);
        if (!t)
                return NULL;
        t->size = size;
        slab_init(&t->owners, "vars", sizeof(struct vars), 0);
        slab_init(&t->vars, "var", sizeof(struct var), 0);
        thr_self->local[local_index] = t;
        return t;
}

static struct vars *made(struct vars **at)
{
        struct vars_thr *t = *at ? NULL : mine();

        if (t)
                *at = slab_get(&t->owners);
        return *at;
}

static struct sess *sess_of(const struct expr_ctx *x)
{
        return x->sess ? x->sess : x->strm ? x->strm->sess : NULL;
}

static struct vars *sess_vars(struct sess *s, bool make)
{
        struct sess_more *m = !s ? NULL : make ? sess_more_of(s) : s->more;

        return !m ? NULL : make ? made(&m->vars) : m->vars;
}

static struct vars *strm_vars(struct strm *s, bool make)
{
        struct expr_state *e = make ? expr_state_of(s) : s->vars;
        struct vars **at = e ? expr_vars(e) : NULL;

        return !at ? NULL : make ? made(at) : *at;
}

/* Did the stream look for a server, or is an answer there? (manual 2.8) */
static bool is_answering(const struct expr_ctx *x)
{
        const struct strm *s = x->strm;

        return (x->have & (EXPR_RSP_HEAD | EXPR_RSP_BYTES)) || s->t.queued ||
               (s->step >= STRM_SERVER && s->step <= STRM_XFER);
}

static void drop(struct vars *v, struct var **at, const struct expr_ctx *x);

static void drop_scope(struct vars *v, enum var_scope scope, const struct expr_ctx *x)
{
        for (unsigned i = 0; i < VAR_BUCKETS; i++) {
                for (struct var **at = &v->head[i]; *at;) {
                        if ((*at)->name->scope == scope)
                                drop(v, at, x);
                        else
                                at = &(*at)->next;
                }
        }
}

static struct vars *reqres_vars(const struct expr_ctx *x, bool res, bool make)
{
        struct vars *v = strm_vars(x->strm, false);
        bool answering = (v && v->answering) || is_answering(x);

        if (answering != res)
                return NULL;
        if (!v && make)
                v = strm_vars(x->strm, true);
        if (v && answering && !v->answering) {
                drop_scope(v, VAR_REQ, x);
                v->answering = true;
        }
        return v;
}

/* One run of a health check: its session, too, is no longer than that. */
static struct vars *check_vars(const struct expr_ctx *x, bool make)
{
        struct vars **at = x->check ? x->check->vars : NULL;

        return !at ? NULL : make ? made(at) : *at;
}

/* Of all scopes but the process's. NULL: none yet, no such scope here, no memory. */
static struct vars *find_vars(enum var_scope scope, const struct expr_ctx *x, bool make)
{
        switch (scope) {
        case VAR_SESS: return sess_of(x) ? sess_vars(sess_of(x), make) : check_vars(x, make);
        case VAR_TXN: return x->strm ? strm_vars(x->strm, make) : NULL;
        case VAR_REQ:
        case VAR_RES: return x->strm ? reqres_vars(x, scope == VAR_RES, make) : NULL;
        case VAR_CHECK: return check_vars(x, make);
        case VAR_PROC:
        case VAR_PSESS:
        case VAR_PTXN:
        case VAR_PREQ:
        case VAR_PRES:
        case VAR_SCOPES: break;
        }
        return NULL;
}

/* The counters of every scope that holds n; all or none. */
static bool charge(enum var_scope scope, struct vars *v, const struct expr_ctx *x, int64_t d)
{
        bool reqres = scope == VAR_REQ || scope == VAR_RES, strm = reqres || scope == VAR_TXN;
        struct vars *ss;

        if (likely(!var_limited()))
                return true;
        ss = scope == VAR_SESS ? v : strm ? sess_vars(sess_of(x), d > 0) : NULL;
        if (strm && sess_of(x) && !ss)
                return false; /* no memory to count there */
        if (d > 0 &&
            ((reqres && over(&limit_reqres, v->bytes_reqres + (uint64_t)d)) ||
             (strm && over(&limit_txn, v->bytes + (uint64_t)d)) || (ss && over(&limit_sess, ss->bytes + (uint64_t)d)) ||
             (scope == VAR_CHECK && over(&limit_check, v->bytes + (uint64_t)d))))
                return false;
        if (!var_charge(d, scope == VAR_CHECK))
                return false;
        v->bytes += (uint64_t)d;
        v->bytes_reqres += reqres ? (uint64_t)d : 0;
        if (ss && ss != v)
                ss->bytes += (uint64_t)d;
        return true;
}

/* ---- values ---- */

bool var_is_bytes(uint32_t type)
{
        return type == SMP_STR || type == SMP_BIN || type == SMP_METH;
}

struct str var_bytes(const struct smp *s)
{
        if (!var_is_bytes(s->type))
                return (struct str){ NULL, 0 };
        return s->type == SMP_METH ? (struct str){ s->m.p, s->m.n } : (struct str){ s->s.p, s->s.n };
}

void var_pack(const struct smp *s, uint64_t v[2])
{
        v[0] = v[1] = 0;
        switch (s->type) {
        case SMP_BOOL: v[0] = s->b; break;
        case SMP_SINT: v[0] = (uint64_t)s->i; break;
        case SMP_IPV4: memcpy(v, &s->ip4, sizeof(s->ip4)); break;
        case SMP_IPV6: memcpy(v, &s->ip6, sizeof(s->ip6)); break;
        default: break;
        }
}

void var_unpack(uint32_t type, const uint64_t v[2], int meth, struct str bytes, struct smp *ret_smp)
{
        ret_smp->type = (enum smp_type)type;
        ret_smp->is_const = true;
        switch (ret_smp->type) {
        case SMP_BOOL: ret_smp->b = v[0] != 0; break;
        case SMP_SINT: ret_smp->i = (int64_t)v[0]; break;
        case SMP_IPV4: memcpy(&ret_smp->ip4, v, sizeof(ret_smp->ip4)); break;
        case SMP_IPV6: memcpy(&ret_smp->ip6, v, sizeof(ret_smp->ip6)); break;
        case SMP_METH:
                ret_smp->m.meth = meth;
                ret_smp->m.p = bytes.p;
                ret_smp->m.n = (uint32_t)bytes.n;
                break;
        default:
                ret_smp->s.p = bytes.p;
                ret_smp->s.n = (uint32_t)bytes.n;
                ret_smp->s.cap = 0;
        }
}

/* ---- the others ---- */

static struct var *find(const struct vars *v, const struct var_name *n)
{
        struct var *i = v ? v->head[n->bucket] : NULL;

        while (i && i->name != n)
                i = i->next;
        return i;
}

static void give_smp(const struct var *v, struct smp *ret_smp)
{
        var_unpack(v->type, v->v, v->meth, (struct str){ v->p, v->n }, ret_smp);
}

hot_path bool var_get(const struct var_name *n, const struct expr_ctx *x, struct smp *ret_smp)
{
        const struct var *v;

        if (n->scope == VAR_PROC)
                return var_proc_get(n, ret_smp);
        v = find(find_vars(n->scope, x, false), n);
        if (v)
                give_smp(v, ret_smp);
        return v != NULL;
}

static void bytes_put(struct var *v)
{
        if (v->p != v->own)
                mem_put(v->p, v->cap);
        v->p = v->own;
        v->cap = OWN_BYTES;
}

static void drop(struct vars *v, struct var **at, const struct expr_ctx *x)
{
        struct var *i = *at;

        (void)charge(i->name->scope, v, x, -(VAR_COST + (int64_t)i->n));
        *at = i->next;
        bytes_put(i);
        slab_put(&mine()->vars, i);
}

/* Copies the bytes into v; they may be a part of what it holds now. */
static bool keep_bytes(struct var *v, struct str bytes)
{
        size_t size;
        char *p;

        if (bytes.n <= v->cap) {
                if (bytes.n)
                        memmove(v->p, bytes.p, bytes.n);
                return true;
        }
        p = bytes.n <= MEM_MAX ? mem_get(bytes.n, &size) : NULL;
        if (!p)
                return false;
        memcpy(p, bytes.p, bytes.n);
        bytes_put(v);
        v->p = p;
        v->cap = (uint32_t)size;
        return true;
}

static struct var *add(struct vars *v, const struct var_name *n)
{
        struct vars_thr *t = mine();
        struct var *i = t ? slab_get_dirty(&t->vars) : NULL;

        if (!i)
                return NULL;
        i->name = n;
        i->type = SMP_ANY;
        i->n = 0;
        i->p = i->own;
        i->cap = OWN_BYTES;
        i->next = v->head[n->bucket];
        v->head[n->bucket] = i;
        return i;
}

static bool store(struct vars *v, const struct var_name *n, struct var *i, const struct expr_ctx *x,
                  const struct smp *s)
{
        struct str bytes = var_bytes(s);
        int64_t d = (int64_t)bytes.n - (i ? (int64_t)i->n : -(int64_t)VAR_COST);
        bool is_new = !i;

        if (!charge(n->scope, v, x, d))
                return false;
        i = i ? i : add(v, n);
        if (!i || !keep_bytes(i, bytes)) {
                (void)charge(n->scope, v, x, -d);
                if (i && is_new) {
                        v->head[n->bucket] = i->next;
                        slab_put(&mine()->vars, i);
                }
                return false;
        }
        var_pack(s, i->v);
        i->type = s->type;
        i->meth = s->type == SMP_METH ? s->m.meth : 0;
        i->n = (uint32_t)bytes.n;
        return true;
}

/* ---- set ---- */

/* was: SMP_ANY when it is not set. */
bool var_holds(unsigned conds, bool exists, const struct smp *was, const struct smp *s)
{
        bool set = was->type != SMP_ANY, ints = was->type == SMP_SINT && s->type == SMP_SINT;
        bool empty = var_is_bytes(s->type) && var_bytes(s).n == 0;

        return !((conds & VAR_IF_EXISTS && !exists) || (conds & VAR_IF_NOT_EXISTS && exists) ||
                 (conds & VAR_IF_EMPTY && !empty) || (conds & VAR_IF_NOT_EMPTY && empty) ||
                 (conds & VAR_IF_SET && !set) || (conds & VAR_IF_NOT_SET && set) ||
                 (conds & VAR_IF_GT && ints && !(was->i > s->i)) || (conds & VAR_IF_LT && ints && !(was->i < s->i)));
}

hot_path bool var_set_if(const struct var_name *n, unsigned conds, const struct expr_ctx *x, const struct smp *smp)
{
        struct vars *v;
        struct var *i;
        struct smp was = { .type = SMP_ANY };

        if (n->scope == VAR_PROC)
                return var_proc_set(n, conds, smp);
        v = find_vars(n->scope, x, true);
        i = find(v, n);
        if (i)
                give_smp(i, &was);
        return v && var_holds(conds, i != NULL, &was, smp) && store(v, n, i, x, smp);
}

void var_unset(const struct var_name *n, const struct expr_ctx *x)
{
        struct vars *v;

        if (n->scope == VAR_PROC) {
                var_proc_unset(n);
                return;
        }
        v = find_vars(n->scope, x, false);
        for (struct var **at = v ? &v->head[n->bucket] : NULL; at && *at; at = &(*at)->next) {
                if ((*at)->name == n) {
                        drop(v, at, x);
                        return;
                }
        }
}

/* ---- the end ---- */

static void fini(struct vars *v, const struct expr_ctx *x)
{
        if (!v)
                return;
        for (unsigned i = 0; i < VAR_BUCKETS; i++) {
                while (v->head[i])
                        drop(v, &v->head[i], x);
        }
        slab_put(&mine()->owners, v);
}

void vars_fini_stream(struct strm *s)
{
        const struct expr_ctx x = { .strm = s, .sess = s->sess };
        struct vars **at = s->vars ? expr_vars(s->vars) : NULL;

        if (!at || !*at)
                return;
        fini(*at, &x);
        *at = NULL;
}

void vars_fini(struct vars *v)
{
        static const struct expr_ctx nobody = { .final = true };

        fini(v, &nobody);
}
