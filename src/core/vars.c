/* core/vars.c - see vars.h. Hot: var_get(), var_set_if() (one walk over the few variables of a bucket, by the name's address).
 *
 * proc.x stands in its name: words under a sequence counter. A reader copies and looks whether the counter moved; writers take one lock.
 * Its bytes are overwritten in place; a larger block replaces the old one, which waits for an epoch, so a name leaves few behind. */
#include "core/vars.h"
#include "base/map.h"
#include "base/slab.h"
#include "core/put.h"
#include "core/retire.h"
#include "core/sess.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUCKETS = 8, OWN_BYTES = 64, COST = 88, PROC_BYTES_MAX = 16384, WORD = sizeof(uint64_t) };

struct box { /* bytes of a proc variable, in words that may be read while they are written */
        uint32_t cap;
        _Atomic uint64_t w[];
};

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
        struct var *head[BUCKETS];
        uint64_t bytes, bytes_reqres; /* counted while there is a limit; `bytes` with all finer scopes */
        bool answering;               /* a stream: the variables of its request are gone */
};

/* ---- names ---- */

static const char *const scope_names[VAR_SCOPES] = { "proc",  "sess",  "txn",  "req",  "res",
                                                     "check", "psess", "ptxn", "preq", "pres" };
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static struct map names;

bool var_scope_find(struct str name, enum var_scope *ret_scope)
{
        for (unsigned i = 0; i < VAR_SCOPES; i++) {
                if (str_is(name, scope_names[i])) {
                        *ret_scope = (enum var_scope)i;
                        return true;
                }
        }
        return false;
}

static const struct var_name *refuse(char why[VAR_WHY_MAX], const char *fmt, ...) fmt_like(2, 3);

static const struct var_name *refuse(char why[VAR_WHY_MAX], const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(why, VAR_WHY_MAX, fmt, ap);
        va_end(ap);
        return NULL;
}

static struct var_name *name_new(struct str text, enum var_scope scope)
{
        static uint32_t next;
        struct var_name *n = calloc(1, sizeof(*n) + text.n + 1);

        ASSERT(n); /* ADR 0002: a part of the configuration */
        n->scope = scope;
        n->n = (uint32_t)text.n;
        n->bucket = next++ % BUCKETS;
        memcpy(n->text, text.p, text.n);
        map_set(&names, (struct str){ n->text, text.n }, n);
        return n;
}

static const struct var_name *intern(struct str text, enum var_scope scope, char why[VAR_WHY_MAX])
{
        struct var_name *n;

        pthread_mutex_lock(&names_lock);
        n = map_get(&names, text);
        if (!n && names.used < VAR_NAMES_MAX)
                n = name_new(text, scope);
        pthread_mutex_unlock(&names_lock);
        return n ? n : refuse(why, "more than %d variables", VAR_NAMES_MAX);
}

const struct var_name *var_name_parse(struct str text, char ret_why[VAR_WHY_MAX])
{
        const char *dot = text.n ? memchr(text.p, '.', text.n) : NULL;
        size_t at = dot ? (size_t)(dot - text.p) : 0;
        enum var_scope scope;

        if (text.n == 0)
                return refuse(ret_why, "Empty variable name cannot be accepted");
        if (!dot || at + 1 == text.n || !var_scope_find(str_sub(text, 0, at), &scope))
                return refuse(ret_why,
                              "invalid variable name '%.*s'. A variable name must start with its scope. The scope can "
                              "be 'proc', '(p)sess', '(p)txn', '(p)req', '(p)res' or 'check'",
                              text.n > 256 ? 256 : (int)text.n, text.p);
        for (size_t i = at + 1; i < text.n; i++) {
                if (!chr_is_alnum(text.p[i]) && text.p[i] != '_' && text.p[i] != '.')
                        return refuse(ret_why, "invalid syntax at char '%c'", text.p[i]);
        }
        return intern(text, scope, ret_why);
}

enum var_scope var_scope_of(const struct var_name *n)
{
        return n->scope;
}

struct str var_text(const struct var_name *n)
{
        return (struct str){ n->text, n->n };
}

bool var_arg(struct kw_call *c, struct expr_arg *a, const struct word *at, const char *what)
{
        char why[VAR_WHY_MAX];

        a->ptr = (void *)(uintptr_t)var_name_parse((struct str){ a->s, a->n }, why);
        if (!a->ptr)
                (void)kw_fail(c, at, "E0750", "invalid args in %s : %s.", what, why);
        return a->ptr != NULL;
}

unsigned var_cond(struct str name)
{
        static const char *const conds[] = { "ifexists", "ifnotexists", "ifempty", "ifnotempty",
                                             "ifset",    "ifnotset",    "ifgt",    "iflt" };

        for (unsigned i = 0; i < array_len(conds); i++) {
                if (str_is(name, conds[i]))
                        return 1u << i;
        }
        return 0;
}

static bool take_conds(struct str rest, bool unset, unsigned *ret_conds, char why[VAR_WHY_MAX])
{
        if (unset && rest.n) {
                (void)refuse(why, "unset-var does not expect parameters after the variable name. Only \"set-var\" and "
                                  "\"set-var-fmt\" manage conditions");
                return false;
        }
        while (rest.n) { /* each with its comma */
                const char *comma = memchr(rest.p + 1, ',', rest.n - 1);
                struct str one = str_sub(rest, 1, (comma ? (size_t)(comma - rest.p) : rest.n) - 1);
                unsigned bit = var_cond(one);

                if (one.n && !bit) {
                        (void)refuse(why, "unknown condition \"%.*s\"", one.n > 256 ? 256 : (int)one.n, one.p);
                        return false;
                }
                *ret_conds |= bit;
                rest = str_sub(rest, one.n + 1, rest.n - one.n - 1);
        }
        return true;
}

bool var_use_parse(struct str word, struct var_use *ret_use, char ret_why[VAR_WHY_MAX])
{
        static const char expects[] =
                "Expects 'set-var(<var-name>)', 'set-var-fmt(<var-name>)' or 'unset-var(<var-name>)'";
        const char *open = memchr(word.p, '(', word.n), *comma;
        int shown = word.n > 256 ? 256 : (int)word.n;
        struct var_use u = { .conds = 0 };
        struct str in, name;

        if (!open || word.p[word.n - 1] != ')') {
                (void)refuse(ret_why,
                             open ? "incomplete argument after action '%.*s'. %s"
                                  : "invalid or incomplete action '%.*s'. %s",
                             shown, word.p, expects);
                return false;
        }
        in = str_sub(word, (size_t)(open - word.p) + 1, (size_t)(word.p + word.n - open) - 2);
        comma = in.n ? memchr(in.p, ',', in.n) : NULL;
        name = comma ? str_sub(in, 0, (size_t)(comma - in.p)) : in;
        u.name = var_name_parse(name, ret_why);
        if (!u.name ||
            !take_conds(str_sub(in, name.n, in.n - name.n), str_has_prefix(word, STR("unset-var")), &u.conds, ret_why))
                return false;
        *ret_use = u;
        return true;
}

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

static bool charge_process(int64_t d, bool check)
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
        for (unsigned i = 0; i < BUCKETS; i++) {
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

/* Of all scopes but the process's. NULL: none yet, no such scope here, no memory. */
static struct vars *find_vars(enum var_scope scope, const struct expr_ctx *x, bool make)
{
        switch (scope) {
        case VAR_SESS: return sess_vars(sess_of(x), make);
        case VAR_TXN: return x->strm ? strm_vars(x->strm, make) : NULL;
        case VAR_REQ:
        case VAR_RES: return x->strm ? reqres_vars(x, scope == VAR_RES, make) : NULL;
        case VAR_PROC: return x->check && x->check->load ? (make ? made(x->check->load) : *x->check->load) : NULL;
        case VAR_CHECK: return x->check && x->check->vars ? (make ? made(x->check->vars) : *x->check->vars) : NULL;
        case VAR_PSESS:
        case VAR_PTXN:
        case VAR_PREQ:
        case VAR_PRES:
        case VAR_SCOPES: break;
        }
        return NULL;
}

static bool is_live(const struct var_name *n, const struct expr_ctx *x)
{
        return n->scope == VAR_PROC && !(x->check && x->check->load);
}

/* The counters of every scope that holds n; all or none. A variable of a load is counted when it goes into force. */
static bool charge(enum var_scope scope, struct vars *v, const struct expr_ctx *x, int64_t d)
{
        bool reqres = scope == VAR_REQ || scope == VAR_RES, strm = reqres || scope == VAR_TXN;
        struct vars *ss;

        if (likely(!atomic_load_explicit(&limited, memory_order_relaxed)) || scope == VAR_PROC)
                return true;
        ss = scope == VAR_SESS ? v : strm ? sess_vars(sess_of(x), d > 0) : NULL;
        if (strm && sess_of(x) && !ss)
                return false; /* no memory to count there */
        if (d > 0 &&
            ((reqres && over(&limit_reqres, v->bytes_reqres + (uint64_t)d)) ||
             (strm && over(&limit_txn, v->bytes + (uint64_t)d)) || (ss && over(&limit_sess, ss->bytes + (uint64_t)d)) ||
             (scope == VAR_CHECK && over(&limit_check, v->bytes + (uint64_t)d))))
                return false;
        if (!charge_process(d, scope == VAR_CHECK))
                return false;
        v->bytes += (uint64_t)d;
        v->bytes_reqres += reqres ? (uint64_t)d : 0;
        if (ss && ss != v)
                ss->bytes += (uint64_t)d;
        return true;
}

/* ---- values ---- */

static bool is_bytes(uint32_t type)
{
        return type == SMP_STR || type == SMP_BIN || type == SMP_METH;
}

static struct str bytes_of(const struct smp *s)
{
        if (!is_bytes(s->type))
                return (struct str){ NULL, 0 };
        return s->type == SMP_METH ? (struct str){ s->m.p, s->m.n } : (struct str){ s->s.p, s->s.n };
}

static void pack(const struct smp *s, uint64_t v[2])
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

static void unpack(uint32_t type, const uint64_t v[2], int meth, struct str bytes, struct smp *ret_smp)
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

/* ---- proc ---- */

static pthread_mutex_t proc_lock = PTHREAD_MUTEX_INITIALIZER; /* of writers */

static void load_words(const struct box *b, char *to, uint32_t n)
{
        for (uint32_t i = 0; i < n; i += WORD) {
                uint64_t w = atomic_load_explicit(&b->w[i / WORD], memory_order_relaxed);

                memcpy(to + i, &w, WORD); /* scratch is whole words */
        }
}

static bool proc_get(const struct var_name *name, struct smp *ret_smp)
{
        const struct proc *p = &name->proc;
        uint32_t seq, type, n, meth;
        uint64_t v[2];
        char *to = NULL;
        size_t room = 0;

        do {
                const struct box *b;

                seq = atomic_load_explicit(&p->seq, memory_order_acquire) & ~1u; /* odd: it will have moved below */
                type = atomic_load_explicit(&p->type, memory_order_relaxed);
                meth = atomic_load_explicit(&p->meth, memory_order_relaxed);
                n = atomic_load_explicit(&p->n, memory_order_relaxed);
                v[0] = atomic_load_explicit(&p->a, memory_order_relaxed);
                v[1] = atomic_load_explicit(&p->b, memory_order_relaxed);
                b = atomic_load_explicit(&p->box, memory_order_acquire);
                if (b && n && n <= b->cap) {
                        to = to ? to : expr_scratch(&room);
                        load_words(b, to, n);
                }
                atomic_thread_fence(memory_order_acquire);
        } while (atomic_load_explicit(&p->seq, memory_order_relaxed) != seq);
        if (type != SMP_ANY)
                unpack(type, v, (int)meth, (struct str){ to ? to : "", n }, ret_smp);
        return type != SMP_ANY;
}

/* Room for n bytes. The old block may still be read in this turn. */
static struct box *proc_room(struct proc *p, size_t n)
{
        struct box *was = atomic_load_explicit(&p->box, memory_order_relaxed), *b;
        uint32_t cap = 64;

        if (n == 0 || (was && was->cap >= n))
                return was;
        while (cap < n)
                cap *= 2;
        b = calloc(1, sizeof(*b) + cap);
        if (!b)
                return NULL;
        b->cap = cap;
        atomic_store_explicit(&p->box, b, memory_order_release);
        if (was)
                retire_later(was, free);
        return b;
}

static void proc_store(struct proc *p, const struct smp *s, struct str bytes, struct box *b)
{
        uint32_t seq = atomic_load_explicit(&p->seq, memory_order_relaxed);
        uint64_t v[2];

        pack(s, v);
        atomic_store_explicit(&p->seq, seq + 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        atomic_store_explicit(&p->type, s->type, memory_order_relaxed);
        atomic_store_explicit(&p->meth, s->type == SMP_METH ? (uint32_t)s->m.meth : 0, memory_order_relaxed);
        atomic_store_explicit(&p->n, (uint32_t)bytes.n, memory_order_relaxed);
        atomic_store_explicit(&p->a, v[0], memory_order_relaxed);
        atomic_store_explicit(&p->b, v[1], memory_order_relaxed);
        for (size_t i = 0; i < bytes.n; i += WORD) {
                uint64_t w = 0;

                memcpy(&w, bytes.p + i, bytes.n - i < WORD ? bytes.n - i : WORD);
                atomic_store_explicit(&b->w[i / WORD], w, memory_order_relaxed);
        }
        atomic_store_explicit(&p->seq, seq + 2, memory_order_release);
}

static int64_t proc_cost(const struct proc *p)
{
        return atomic_load_explicit(&p->type, memory_order_relaxed) == SMP_ANY
                       ? 0
                       : COST + (int64_t)atomic_load_explicit(&p->n, memory_order_relaxed);
}

static bool proc_charge(int64_t d)
{
        return d == 0 || likely(!atomic_load_explicit(&limited, memory_order_relaxed)) || charge_process(d, false);
}

static bool proc_set(struct proc *p, const struct smp *s)
{
        struct str bytes = bytes_of(s);
        int64_t d = COST + (int64_t)bytes.n - proc_cost(p);
        struct box *b;

        if (bytes.n > PROC_BYTES_MAX || !proc_charge(d))
                return false;
        b = proc_room(p, bytes.n);
        if (bytes.n && !b) {
                (void)proc_charge(-d);
                return false;
        }
        proc_store(p, s, bytes, b);
        return true;
}

static struct proc *proc_of(const struct var_name *n)
{
        return &((struct var_name *)(uintptr_t)n)->proc;
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
        unpack(v->type, v->v, v->meth, (struct str){ v->p, v->n }, ret_smp);
}

hot_path bool var_get(const struct var_name *n, const struct expr_ctx *x, struct smp *ret_smp)
{
        const struct var *v;

        if (is_live(n, x))
                return proc_get(n, ret_smp);
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

        (void)charge(i->name->scope, v, x, -(COST + (int64_t)i->n));
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
        struct str bytes = bytes_of(s);
        int64_t d = (int64_t)bytes.n - (i ? (int64_t)i->n : -(int64_t)COST);
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
        pack(s, i->v);
        i->type = s->type;
        i->meth = s->type == SMP_METH ? s->m.meth : 0;
        i->n = (uint32_t)bytes.n;
        return true;
}

/* ---- set ---- */

/* was: SMP_ANY when it is not set. */
static bool holds(unsigned conds, bool exists, const struct smp *was, const struct smp *s)
{
        bool set = was->type != SMP_ANY, ints = was->type == SMP_SINT && s->type == SMP_SINT;
        bool empty = is_bytes(s->type) && bytes_of(s).n == 0;

        return !((conds & VAR_IF_EXISTS && !exists) || (conds & VAR_IF_NOT_EXISTS && exists) ||
                 (conds & VAR_IF_EMPTY && !empty) || (conds & VAR_IF_NOT_EMPTY && empty) ||
                 (conds & VAR_IF_SET && !set) || (conds & VAR_IF_NOT_SET && set) ||
                 (conds & VAR_IF_GT && ints && !(was->i > s->i)) || (conds & VAR_IF_LT && ints && !(was->i < s->i)));
}

static bool set_live(const struct var_name *n, unsigned conds, const struct smp *s)
{
        struct proc *p = proc_of(n);
        struct smp was = { .type = SMP_ANY };
        bool ok;

        pthread_mutex_lock(&proc_lock);
        was.type = (enum smp_type)atomic_load_explicit(&p->type, memory_order_relaxed);
        was.i = (int64_t)atomic_load_explicit(&p->a, memory_order_relaxed);
        ok = holds(conds, true, &was, s) && proc_set(p, s);
        pthread_mutex_unlock(&proc_lock);
        return ok;
}

hot_path bool var_set_if(const struct var_name *n, unsigned conds, const struct expr_ctx *x, const struct smp *smp)
{
        struct vars *v;
        struct var *i;
        struct smp was = { .type = SMP_ANY };

        if (is_live(n, x))
                return set_live(n, conds, smp);
        v = find_vars(n->scope, x, true);
        i = find(v, n);
        if (i)
                give_smp(i, &was);
        return v && holds(conds, i != NULL || n->scope == VAR_PROC, &was, smp) && store(v, n, i, x, smp);
}

void var_unset(const struct var_name *n, const struct expr_ctx *x)
{
        static const struct smp nothing = { .type = SMP_ANY };
        struct vars *v;

        if (is_live(n, x)) {
                struct proc *p = proc_of(n);

                pthread_mutex_lock(&proc_lock);
                (void)proc_charge(-proc_cost(p));
                proc_store(p, &nothing, (struct str){ NULL, 0 }, NULL);
                pthread_mutex_unlock(&proc_lock);
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

/* ---- all of them ---- */

static int by_text(const void *a, const void *b)
{
        return strcmp((*(const struct var_name *const *)a)->text, (*(const struct var_name *const *)b)->text);
}

void var_each(enum var_scope scope, const struct expr_ctx *x, var_each_fn fn, void *arg)
{
        const struct var_name **v;
        struct map_entry *e;
        struct smp s;
        size_t n = 0;

        pthread_mutex_lock(&names_lock);
        v = malloc((names.used + 1) * sizeof(struct var_name *));
        for (size_t i = 0; v && (e = map_next(&names, &i)) != NULL;) {
                if (((struct var_name *)e->value)->scope == scope)
                        v[n++] = e->value;
        }
        pthread_mutex_unlock(&names_lock);
        if (!v)
                return;
        qsort(v, n, sizeof(v[0]), by_text);
        for (size_t i = 0; i < n; i++) {
                if (var_get(v[i], x, &s))
                        fn(arg, v[i], &s);
        }
        free(v);
}

/* ---- the end ---- */

static void fini(struct vars *v, const struct expr_ctx *x)
{
        if (!v)
                return;
        for (unsigned i = 0; i < BUCKETS; i++) {
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
