/* feat/logs/logger.c - from `log` lines and options to a logger: what the proxies of a configuration write, and where. */
#include "conf/conf.h"
#include "core/global.h"
#include "core/kinds.h"
#include "core/put.h"
#include "feat/logs/logs.h"

#include <stdlib.h>
#include <unistd.h>

/* The named formats as manual 8.2.2 and 8.2.3 give them. */
#define FMT_TCP "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"
#define FMT_HTTP                                                                                                       \
        "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"
#define FMT_TCP_CLF                                                                                                    \
        "%{+Q}o %{-Q}ci - - [%T] \"TCP \" 000 %B \"\" \"\" %cp %ms %ft %b %s %Th %Tw %Tc %Tt %U %ts-- "                \
        "%ac %fc %bc %sc %rc %sq %bq \"\" \"\" "
#define FMT_HTTP_CLF                                                                                                   \
        "%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \"\" \"\" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc "                    \
        "%ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl"

/* Of our own: option httplog json, option tcplog json. The help of these rows is the schema. */
#define JSON_CONNS                                                                                                     \
        " %(process_conns)ac %(frontend_conns)fc %(backend_conns)bc %(server_conns)sc %(retries)rc "                   \
        "%(server_queue)sq %(backend_queue)bq"
#define FMT_TCP_JSON                                                                                                   \
        "%{+json}o %(date)t %(client_ip)ci %(client_port)cp %(frontend)f %(backend)b %(server)s %(time_queue)Tw "      \
        "%(time_connect)Tc %(time_total)Tt %(bytes_read)B %(bytes_uploaded)U %(termination)ts" JSON_CONNS
#define FMT_HTTP_JSON                                                                                                  \
        "%{+json}o %(date)tr %(client_ip)ci %(client_port)cp %(frontend)f %(backend)b %(server)s %(time_request)TR "   \
        "%(time_queue)Tw %(time_connect)Tc %(time_response)Tr %(time_active)Ta %(status)ST %(bytes_read)B "            \
        "%(bytes_uploaded)U %(req_cookie)CC %(rsp_cookie)CS %(termination)tsc" JSON_CONNS                              \
        " %(req_headers)hr %(rsp_headers)hs %(request)r %(method)HM %(uri)HU %(version)HV %(unique_id)ID"

struct log_cache { /* a load's compiled formats by text: thousands of frontends share a few */
        struct log_cache *next;
        const char *text; /* interned */
        const struct logfmt *fmt;
};

static unsigned local_index;
static _Atomic(const struct logger *) global_logger;
static _Atomic uint64_t last_id;

__attribute__((constructor)) static void reserve_index(void)
{
        local_index = thr_local_index(free);
}

const char *logs_host(void)
{
        static char name[256]; /* written once, by the control thread, before the first line */

        if (world.node)
                return world.node;
        if (!name[0] && gethostname(name, sizeof(name) - 1) != 0)
                name[0] = '-';
        return name;
}

/* ---- compile ---- */

static const struct log_cfg *cfg_global(const struct conf *c)
{
        const struct conf_obj *g = conf_find(c, KIND_GLOBAL, STR(""));

        return g ? conf_slot(g, log_slot) : NULL;
}

/* NULL after an alert. */
static const struct logfmt *format_get(struct conf *c, const struct conf_obj *o, const char *text, struct span at,
                                       struct diags *d)
{
        const struct log_cfg *g = cfg_global(c);
        struct log_cache *e = g ? g->cache : NULL;
        struct kw_call call = { .conf = c, .obj = (struct conf_obj *)(uintptr_t)o, .at = at, .diags = d };
        const struct logfmt *f;

        for (; e; e = e->next) {
                if (e->text && strcmp(e->text, text) == 0)
                        return e->fmt;
                if (!e->next)
                        break;
        }
        f = logfmt_compile(&call, str_of(text), NULL, EXPR_AT_LOG | EXPR_LOADED);
        if (e && f) {
                e->next = conf_alloc(c, sizeof(*e));
                e->next->text = conf_intern(c, str_of(text));
                e->next->fmt = f;
        }
        return f;
}

static const char *preset_text(const struct proxy_cfg *px)
{
        bool clf = px->options & OPT_LOG_CLF, json = px->options & OPT_LOG_JSON;

        if (px->options & OPT_HTTPLOG && px->mode == PX_HTTP)
                return clf ? FMT_HTTP_CLF : json ? FMT_HTTP_JSON : FMT_HTTP;
        if (px->options & (OPT_HTTPLOG | OPT_TCPLOG))
                return clf ? FMT_TCP_CLF : json ? FMT_TCP_JSON : FMT_TCP;
        return NULL;
}

static const struct logfmt *format_of(struct conf *c, const struct conf_obj *o, const struct log_cfg *cfg,
                                      const struct proxy_cfg *px, struct diags *d)
{
        const char *preset = preset_text(px);

        if (preset)
                return format_get(c, o, preset, o->at, d);
        return cfg->format ? format_get(c, o, cfg->format, cfg->format_at, d) : NULL;
}

/* Something that a line needs is known only at the end of the stream. */
static bool is_late(const struct logger *l)
{
        bool late = logfmt_is_late(l->format) || (l->sd && logfmt_is_late(l->sd));

        for (uint32_t i = 0; i < l->n && !late; i++)
                late = l->target[i].profile && log_profile_is_late(l->target[i].profile);
        return late;
}

static void formats(struct logger *l, struct conf *c, const struct conf_obj *o, const struct log_cfg *cfg,
                    const struct proxy_cfg *px, struct diags *d)
{
        l->format = format_of(c, o, cfg, px, d);
        l->sd = cfg->sd_format ? format_get(c, o, cfg->sd_format, cfg->sd_at, d) : NULL;
        l->error_format = cfg->error_format ? format_get(c, o, cfg->error_format, cfg->error_at, d) : NULL;
        for (uint32_t i = 0; i < l->n; i++)
                l->varied |= l->target[i].profile || (l->sd && l->target[i].format == LOGF_RFC5424);
}

static uint32_t count(const struct log_cfg *cfg, const struct log_cfg *g)
{
        uint32_t n = 0;

        for (const struct log_line *l = cfg ? cfg->lines : NULL; l; l = l->prev)
                n += l->global ? count(g, NULL) : 1;
        return n;
}

/* Lists run from the last line to the first; targets are written in file order. Returns how many stand before `end`. */
static uint32_t fill(struct logger *l, const struct log_line *line, const struct log_line *global, uint32_t end)
{
        for (; line; line = line->prev) {
                if (line->global) {
                        end = fill(l, global, NULL, end);
                        continue;
                }
                if (line->stream)
                        log_implicit_apply(line);
                l->target[--end] =
                        (struct log_target){ .sink = sink_get(line),
                                             .len = line->len,
                                             .format = line->format,
                                             .facility = line->facility,
                                             .sample = line->sample,
                                             .level = line->level < 0 ? LOG_L_DEBUG : line->level,
                                             .min_level = line->min_level < 0 ? LOG_L_EMERG : line->min_level };
        }
        return end;
}

static const char *pick(const char *own, const char *global, const char *otherwise)
{
        return own ? own : global ? global : otherwise;
}

static struct logger *logger_new(struct conf *c, const struct log_cfg *cfg, const struct log_cfg *g)
{
        uint32_t n = count(cfg, g);
        struct logger *l = conf_alloc(c, sizeof(*l) + n * sizeof(l->target[0]));

        l->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
        l->n = n;
        (void)fill(l, cfg ? cfg->lines : NULL, g ? g->lines : NULL, n);
        l->tag = pick(cfg ? cfg->tag : NULL, g ? g->tag : NULL, "haproxy");
        l->tag_len = (uint32_t)strlen(l->tag);
        l->hostname = g ? g->hostname : NULL;
        if (l->hostname && !*l->hostname)
                l->hostname = conf_intern(c, str_of(logs_host()));
        l->hostname_len = l->hostname ? (uint32_t)strlen(l->hostname) : 0;
        l->lines = conf_alloc(c, sizeof(*l->lines));
        return l;
}

/* As in HAProxy: the default line needs nothing but the connection (and a request), logasap goes before log-steps, and a line that asks
 * for nothing of the end is written with the answer. */
static unsigned when_of(const struct logger *l, unsigned steps)
{
        if (l->n == 0)
                return 0;
        if (!l->format)
                return l->http ? LOG_ON_REQUEST : LOG_ON_ACCEPT; /* whatever the steps */
        if (steps && !(l->options & OPT_LOGASAP))
                return steps;
        if (l->options & OPT_LOGASAP || !is_late(l))
                return l->http ? LOG_ON_RESPONSE : LOG_ON_CONNECT;
        return LOG_ON_CLOSE;
}

/* What other sections say of a target: its profile; a ring's format and longest line go before the log line's. */
static void complete(struct log_target *t, const struct log_line *line, struct conf *c)
{
        const struct ring_cfg *ring = line->via == LOG_VIA_STORE && !line->stream ? log_ring_find(c, line->path) : NULL;

        t->profile = line->profile ? log_profile_find(c, line->profile) : NULL;
        if (!ring)
                return;
        if (ring->format != LOGF_UNSET)
                t->format = ring->format;
        t->len = ring->maxlen < LOG_LEN_MAX ? ring->maxlen + 1 : LOG_LEN_MAX; /* its newline is not kept */
}

static void complete_all(struct logger *l, const struct log_line *line, const struct log_line *global, struct conf *c)
{
        uint32_t i = l->n;

        for (; line; line = line->prev) {
                if (!line->global) {
                        complete(&l->target[--i], line, c);
                        continue;
                }
                for (const struct log_line *g = global; g; g = g->prev)
                        complete(&l->target[--i], g, c);
        }
}

static const struct logger *compile(struct conf *c, const struct conf_obj *o, bool as_front, struct diags *d)
{
        const struct log_cfg *g = cfg_global(c), *cfg = o ? conf_slot(o, log_slot) : g;
        const struct proxy_cfg *px = o ? conf_slot(o, proxy_slot) : NULL;
        struct logger *l = logger_new(c, cfg, g);

        l->name = o ? o->name : "GLOBAL";
        l->http = px && px->mode == PX_HTTP;
        l->options = px ? px->options : 0;
        complete_all(l, cfg ? cfg->lines : NULL, g ? g->lines : NULL, c);
        if (as_front && px && cfg && l->n)
                formats(l, c, o, cfg, px, d);
        l->when = as_front ? (uint8_t)when_of(l, cfg ? cfg->steps : 0) : 0;
        l->steps = cfg && cfg->steps && !(l->options & OPT_LOGASAP);
        if (!o) {
                log_rings_apply(c);
                atomic_store_explicit(&global_logger, l, memory_order_release); /* pairs with logger_global() */
        }
        return l;
}

const struct logger *logger_global(void)
{
        return atomic_load_explicit(&global_logger, memory_order_acquire);
}

uint32_t logs_count(const struct logger *l)
{
        return l ? atomic_load_explicit(l->lines, memory_order_relaxed) : 0;
}

/* ---- the table's check: errors come when the file is loaded, not when it is applied ---- */

static void check_front(struct conf *c, struct conf_obj *o, const struct log_cfg *cfg, struct diags *d)
{
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);

        if (!px)
                return;
        if (cfg->format && !preset_text(px))
                (void)format_get(c, o, cfg->format, cfg->format_at, d);
        if (cfg->sd_format)
                (void)format_get(c, o, cfg->sd_format, cfg->sd_at, d);
        if (cfg->error_format)
                (void)format_get(c, o, cfg->error_format, cfg->error_at, d);
        if ((cfg->format || preset_text(px)) && count(cfg, cfg_global(c)) == 0)
                diag_add(d, DIAG_WARNING, o->at, "W0721", "log format ignored for %s '%s' since it has no log address.",
                         o->kind->bit & KIND_FRONTEND ? "frontend" : "proxy", o->name)
                        ->parsing = false;
}

static void check_profiles(struct conf *c, const struct conf_obj *o, const struct log_cfg *cfg, struct diags *d)
{
        for (const struct log_line *l = cfg->lines; l; l = l->prev) {
                if (l->profile && !log_profile_find(c, l->profile))
                        diag_add(d, DIAG_ALERT, l->at, "E0722",
                                 "log directive declared in section '%s' uses unknown log-profile '%s'.", o->name,
                                 l->profile);
                if (l->via == LOG_VIA_STORE && !l->stream && !log_ring_find(c, l->path))
                        diag_add(d, DIAG_ALERT, l->at, "E0723",
                                 "log directive declared in section '%s' uses unknown ring '%s'.", o->name, l->path);
        }
        log_do_check(c, cfg, d);
}

void log_check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        struct log_cfg *cfg = slot;

        check_profiles(c, o, cfg, d);
        if (o->kind->bit & KIND_GLOBAL)
                cfg->cache = conf_alloc(c, sizeof(*cfg->cache));
        else if (o->kind->bit & KIND_FE)
                check_front(c, o, cfg, d);
}

/* ---- writing ---- */

enum { HEADER_MAX = 512 };

struct line_buf {        /* a thread's. Header, text and newline stand in one piece, so that the kernel gets one */
        uint64_t logger; /* what the header was written for: logger.id, 0 = none */
        const struct log_target *target;
        int64_t sec;
        int level;
        uint32_t head;                           /* bytes of the header, right before the text */
        char line[HEADER_MAX + LOG_LEN_MAX + 1]; /* the text begins at HEADER_MAX */
};

static struct line_buf *line_buf(void)
{
        struct line_buf *b = thr_self->local[local_index];

        if (unlikely(!b)) {
                b = malloc(sizeof(*b)); /* pages that no line reaches stay untouched */
                ASSERT(b);
                b->logger = 0; /* of no logger: the header is written for the first line */
                b->target = NULL;
                b->level = 0;
                b->sec = 0;
                b->head = 0;
                thr_self->local[local_index] = b;
        }
        return b;
}

char *logger_text(const struct logger *l, size_t *ret_n)
{
        int max = LOG_LEN_MIN;

        for (uint32_t i = 0; i < l->n; i++)
                max = l->target[i].len > max ? l->target[i].len : max;
        *ret_n = (size_t)max;
        return line_buf()->line + HEADER_MAX;
}

/* One second's lines of a target have one header, unless it shows microseconds. */
static bool is_kept(const struct log_target *t)
{
        return t->format != LOGF_TIMED && t->format != LOGF_ISO && t->format != LOGF_RFC5424;
}

static void write_header(struct line_buf *b, const struct logger *l, const struct log_target *t,
                         const struct log_use *u, int level, int64_t wall_us)
{
        size_t max = (size_t)t->len - 1 < HEADER_MAX ? (size_t)t->len - 1 : HEADER_MAX;
        char header[HEADER_MAX];

        b->head = (uint32_t)frame_header(l, t, u, (enum log_level)level, wall_us, header, max);
        memcpy(b->line + HEADER_MAX - b->head, header, b->head);
        b->logger = is_kept(t) && !u ? l->id : 0;
        b->target = t;
        b->level = level;
        b->sec = wall_us / 1000000;
}

/* Inline: a line to targets that want the same one is the usual case by far. */
static inline __attribute__((always_inline)) void emit_one(const struct logger *l, const struct log_target *t,
                                                           const struct log_use *u, int level, const char *text,
                                                           size_t n)
{
        int64_t wall_us = thr_self->wall_us;
        struct line_buf *b = line_buf();
        char *own = b->line + HEADER_MAX, behind;
        size_t room;

        if (u || b->logger != l->id || b->target != t || b->level != level || b->sec != wall_us / 1000000)
                write_header(b, l, t, u, level, wall_us);
        room = (size_t)t->len - 1 - b->head; /* the newline counts */
        n = n < room ? n : room;
        if (likely(text == own)) {
                behind = own[n]; /* the next target may take more of the line */
                own[n] = '\n';
                sink_send(t->sink, &(struct iovec){ own - b->head, b->head + n + 1 }, 1);
                own[n] = behind;
        } else { /* the line of a state change: there may be one half written in our own place */
                struct iovec v[3] = { { own - b->head, b->head },
                                      { (void *)(uintptr_t)text, n },
                                      { (void *)(uintptr_t) "\n", 1 } };
                sink_send(t->sink, b->head ? v : v + 1, b->head ? 3 : 2);
        }
}

/* Is this message one of those that the target samples? Its number is that of all messages of the `log` line. */
static cold_path bool is_sampled(struct log_sample *s)
{
        uint32_t i = atomic_fetch_add_explicit(&s->seen, 1, memory_order_relaxed) % s->size + 1;

        for (uint32_t r = 0; r < s->n; r++) {
                if (i >= s->range[r].low && i <= s->range[r].high)
                        return true;
        }
        return false;
}

static inline __attribute__((always_inline)) void emit_to(const struct logger *l, const struct log_target *t,
                                                          const struct log_use *u, enum log_level level,
                                                          const char *text, size_t n)
{
        if ((int)level > t->level || (unlikely(t->sample) && !is_sampled(t->sample)))
                return;
        emit_one(l, t, u, (int)level < t->min_level ? t->min_level : (int)level, text, n);
}

hot_path void logger_emit(const struct logger *l, enum log_level level, const char *text, size_t n)
{
        for (uint32_t i = 0; i < l->n; i++)
                emit_to(l, &l->target[i], NULL, level, text, n);
}

void logger_emit_to(const struct logger *l, const struct log_target *t, const struct log_use *u, enum log_level level,
                    const char *text, size_t n)
{
        emit_to(l, t, u, level, text, n);
}

bool logger_use(const struct logger *l, const struct log_target *t, const struct log_profile *only, enum log_origin o,
                struct log_use *ret_u)
{
        const struct log_profile *p = only ? only : t->profile;
        const struct log_on *on = !p ? NULL : p->on[o].set ? &p->on[o] : &p->on[LOGO_ANY];
        struct log_use u = { .format = o == LOGO_ERROR && l->error_format ? l->error_format : l->format,
                             .sd = o == LOGO_ERROR ? NULL : l->sd,
                             .tag = p ? p->tag : NULL };

        if (on && on->drop)
                return false;
        u.format = on && on->format ? on->format : u.format;
        u.sd = on && on->sd ? on->sd : u.sd;
        if (t->format != LOGF_RFC5424)
                u.sd = NULL;
        if (!u.format)
                return false;
        *ret_u = u;
        return true;
}

static void send_line(const struct logger *l, enum log_level level, const char *text, size_t n)
{
        if (!l)
                l = logger_global();
        if (l)
                logger_emit(l, level, text, n);
}

/* ---- local paths ---- */

static bool has_path(const char *const *v, size_t n, const char *path)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(v[i], path) == 0)
                        return true;
        }
        return false;
}

static const char *const *paths(const struct conf *c, size_t *ret_n)
{
        struct conf *mem = (struct conf *)(uintptr_t)c; /* its arena only grows; its content is not changed */
        const char **v;
        size_t n = 0, cap = 1;

        for (const struct conf_obj *o = c->first; o; o = o->sibling) {
                const struct log_cfg *cfg = conf_slot(o, log_slot);

                for (const struct log_line *l = cfg ? cfg->lines : NULL; l; l = l->prev)
                        cap++;
        }
        v = conf_alloc(mem, cap * sizeof(*v));
        for (const struct conf_obj *o = c->first; o; o = o->sibling) {
                const struct log_cfg *cfg = conf_slot(o, log_slot);

                for (const struct log_line *l = cfg ? cfg->lines : NULL; l; l = l->prev) {
                        if (!l->global && l->via == LOG_VIA_UNIX && !has_path(v, n, l->path))
                                v[n++] = l->path;
                }
        }
        *ret_n = n;
        return v;
}

/* "[WARNING]  (pid) : text", as the process's other lines look. */
static void to_stderr(void *ctx, bool alert, const char *text, size_t n)
{
        static const struct log_line line = { .via = LOG_VIA_FD, .fd = STDERR_FILENO };
        char intro[48];
        char *p;

        atomic_fetch_add_explicit(&world.warnings, !alert, memory_order_relaxed);
        p = put_bytes(intro, intro + sizeof(intro), alert ? "[ALERT]    (" : "[WARNING]  (", 12);
        struct iovec v[3];

        (void)ctx;
        p = put_u64(p, intro + sizeof(intro), (uint64_t)world.pid);
        p = put_bytes(p, intro + sizeof(intro), ") : ", 4);
        v[0] = (struct iovec){ intro, (size_t)(p - intro) };
        v[1] = (struct iovec){ (void *)(uintptr_t)text, n };
        v[2] = (struct iovec){ (void *)(uintptr_t) "\n", 1 };
        sink_send(sink_get(&line), v, 3);
}

static const struct log_driver driver = { .compile = compile,
                                          .send = send_line,
                                          .stream = logs_stream,
                                          .reopen = sink_reopen,
                                          .paths = paths,
                                          .dropped = sink_dropped,
                                          .to_stderr = to_stderr,
                                          .flush = sink_flush };

__attribute__((constructor)) static void link_driver(void)
{
        log_driver = &driver;
}
