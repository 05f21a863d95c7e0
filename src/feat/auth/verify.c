/* feat/auth/verify.c - does a password fit a crypt(3) hash: computed off the loop, and remembered. */
#include "feat/auth/auth.h"

#include "core/event.h"
#include "core/kinds.h"
#include "core/strm_own.h"
#include "ev/offload.h"

#define XXH_INLINE_ALL
#include <crypt.h>
#include <stdlib.h>
#include <xxhash.h>

enum { KNOWN = 256, HELPERS = 2 };

struct digest {
        uint64_t a, b;
};

struct known { /* one thread's */
        uint64_t seed;
        struct {
                struct digest of;
                enum auth_answer answer;
                bool used;
        } entry[KNOWN];
};

static unsigned local_index;

static void known_free(void *p)
{
        free(p);
}

__attribute__((constructor)) static void reserve_index(void)
{
        local_index = thr_local_index(known_free);
}

static struct known *known(void)
{
        struct known *k = thr_self->local[local_index];

        if (k)
                return k;
        k = calloc(1, sizeof(*k));
        ASSERT(k); /* ADR 0002: once per thread */
        thr_self->sys->random(&k->seed, sizeof(k->seed));
        thr_self->local[local_index] = k;
        return k;
}

/* Nobody outside knows the seed, so nobody can look for two passwords of one digest. */
static struct digest digest(const struct known *k, const char *hash, struct str password)
{
        XXH64_hash_t inner = XXH3_64bits_withSeed(hash, strlen(hash), k->seed);
        XXH128_hash_t v = XXH3_128bits_withSeed(password.n ? password.p : "", password.n, k->seed ^ inner);

        return (struct digest){ v.low64, v.high64 };
}

/* ---- the helper's part ---- */

struct work {
        struct offload_job job;
        struct strm *strm; /* of the submitting thread; it is gone when the id is another */
        uint64_t id;
        struct digest of;
        bool fits;
        size_t n_hash, n_password;
        char text[]; /* hash NUL password NUL */
};

static void compute(struct offload_job *j)
{
        struct work *w = container_of(j, struct work, job);
        struct crypt_data *mem = atomic_load(&j->cancelled) ? NULL : calloc(1, sizeof(*mem));
        const char *made = mem ? crypt_r(w->text + w->n_hash + 1, w->text, mem) : NULL;
        volatile unsigned char diff = 1;

        if (made && strlen(made) == w->n_hash) {
                diff = 0;
                for (size_t i = 0; i < w->n_hash; i++)
                        diff |= (unsigned char)(made[i] ^ w->text[i]);
        }
        w->fits = diff == 0;
        if (mem)
                explicit_bzero(mem, sizeof(*mem));
        free(mem);
        explicit_bzero(w->text + w->n_hash + 1, w->n_password);
}

static void computed(struct offload_job *j)
{
        struct work *w = container_of(j, struct work, job);
        struct known *k = known();
        struct strm *s = w->strm;
        unsigned i = (unsigned)w->of.a % KNOWN;

        k->entry[i].of = w->of;
        k->entry[i].answer = w->fits ? AUTH_YES : AUTH_NO;
        k->entry[i].used = true;
        if (s->magic == STRM_MAGIC && s->id == w->id) {
                struct strm_own *o = strm_own_of(s);

                if (o)
                        o->auth_waits = false;
                strm_wake(s);
        }
        free(w);
}

static bool submit(struct strm *s, const char *hash, struct str password, struct digest of)
{
        size_t n = strlen(hash);
        struct work *w = calloc(1, sizeof(*w) + n + password.n + 2);

        if (!w)
                return false;
        *w = (struct work){ .job = { .run = compute, .done = computed },
                            .strm = s,
                            .id = s->id,
                            .of = of,
                            .n_hash = n,
                            .n_password = password.n };
        memcpy(w->text, hash, n);
        memcpy(w->text + n + 1, password.p, password.n);
        if (offload_submit(thr_self->loop, OFFLOAD_PASSWORD, &w->job) == 0)
                return true;
        free(w);
        return false;
}

/* When the helpers have too much to do, a password that was not seen lately does not fit: whoever guesses is shed first. */
enum auth_answer auth_verify(struct strm *s, const char *hash, struct str password)
{
        struct known *k = known();
        struct digest of = digest(k, hash, password);
        unsigned i = (unsigned)of.a % KNOWN;
        struct strm_own *o;

        if (k->entry[i].used && k->entry[i].of.a == of.a && k->entry[i].of.b == of.b)
                return k->entry[i].answer;
        o = strm_own_of(s);
        if (!o || (password.n && memchr(password.p, '\0', password.n)))
                return AUTH_NO;
        if (o->auth_waits)
                return AUTH_WAIT;
        if (!submit(s, hash, password, of))
                return AUTH_NO;
        o->auth_waits = true;
        return AUTH_WAIT;
}

/* ---- the helpers run as long as some list has hashes ---- */

static bool has_hashes(const struct conf *c)
{
        for (const struct conf_obj *o = c->first; o; o = o->sibling) {
                const struct auth_cfg *a = o->kind->bit == KIND_USERLIST ? conf_slot(o, auth_slot) : NULL;

                for (const struct auth_user *u = a ? a->users : NULL; u; u = u->next)
                        if (u->password && !u->plain)
                                return true;
        }
        return false;
}

static void on_applied(const void *event)
{
        static bool started; /* of the control thread */

        if (event && !started && has_hashes(event)) {
                started = offload_start(HELPERS) == 0;
        } else if (!event && started) {
                offload_stop();
                started = false;
        }
}

static const struct event_sub applied = { .type = EVENT_APPLIED, .rank = 50, .name = "auth", .fn = on_applied };
EVENT_SUB(applied);
