/* core/proxy_check.c - what can be wrong between lines that are right by themselves; worded as HAProxy does. */
#include "core/rows_int.h"

#include "base/map.h"
#include "core/check.h"

#include <stdarg.h>
#include <stdio.h>

static bool is_front(const struct conf_obj *o)
{
        return (o->kind->bit & KIND_FE) != 0;
}

static const char *mode_name(int mode)
{
        return mode == PX_HTTP ? "http" : "tcp";
}

static const char *file_of(const struct diags *d, struct span at)
{
        return at.line ? d->files[at.file].name : "";
}

static void check_default_backend(struct conf *c, const struct conf_obj *o, const struct proxy_cfg *p, struct diags *d)
{
        const struct conf_obj *b = conf_find(c, KIND_BE, str_of(p->default_backend));
        const struct proxy_cfg *bp = b ? conf_slot(b, proxy_slot) : NULL;
        struct span at = conf_span_name(o, "default_backend");
        struct diag *g;

        if (!b) {
                g = diag_add(d, DIAG_ALERT, at, "E0230", "Proxy '%s': unable to find required default_backend: '%s'.",
                             o->name, p->default_backend);
                g->parsing = false;
        } else if (p->mode == PX_HTTP && bp->mode != PX_HTTP) {
                g = diag_add(
                        d, DIAG_ALERT, at, "E0231",
                        "%s %s '%s' (%s:%u) tries to use incompatible %s %s '%s' (%s:%u) as its default backend (see "
                        "'mode').",
                        mode_name(p->mode), proxy_noun(o), o->name, file_of(d, o->at), o->at.line, mode_name(bp->mode),
                        proxy_noun(b), b->name, file_of(d, b->at), b->at.line);
                g->parsing = false;
        }
}

static void check_binds(const struct conf_obj *o, struct diags *d)
{
        struct diag *g;

        for (const struct conf_obj *k = o->child; k; k = k->sibling)
                if (k->kind->bit == KIND_BIND)
                        return;
        g = diag_add(d, DIAG_WARNING, o->at, "W0232",
                     "%s '%s' has no 'bind' directive. Please declare it as a backend if this was intended.",
                     proxy_noun(o), o->name);
        g->parsing = false;
}

static bool has_server(const struct conf_obj *o)
{
        for (const struct conf_obj *k = o->child; k; k = k->sibling)
                if (k->kind->bit == KIND_SERVER)
                        return true;
        return false;
}

static void check_timeouts(const struct conf_obj *o, const struct proxy_cfg *p, struct diags *d)
{
        bool front = is_front(o) && !p->timeout.client;
        bool back = (o->kind->bit & KIND_BE) && (!p->timeout.connect || !p->timeout.server) &&
                    (o->kind->bit != KIND_LISTEN || has_server(o));
        struct diag *g;

        if (!front && !back)
                return;
        g = diag_add(d, DIAG_WARNING, o->at, "W0233",
                     "missing timeouts for %s '%s'.\n"
                     "   | While not properly invalid, you will certainly encounter various problems\n"
                     "   | with such a configuration. To fix this, please ensure that all following\n"
                     "   | timeouts are set to a non-zero value: 'client', 'connect', 'server'.",
                     proxy_noun(o), o->name);
        g->parsing = false;
}

/* The log format of the other mode is taken, as if the file had said so. */
static void check_log_option(const struct conf_obj *o, struct proxy_cfg *p, struct diags *d)
{
        if (p->mode == PX_HTTP || !is_front(o) || !(p->options & OPT_HTTPLOG))
                return;
        diag_add(d, DIAG_WARNING, conf_span_name(o, "option httplog"), "W0234",
                 "'option httplog' not usable with %s '%s' (needs 'mode http'). Falling back to 'option tcplog'.",
                 proxy_noun(o), o->name);
        p->options = (p->options & ~(unsigned)OPT_HTTPLOG) | OPT_TCPLOG;
}

static void check_forwardfor(const struct conf_obj *o, struct proxy_cfg *p, struct diags *d)
{
        struct diag *g;

        if (p->mode == PX_HTTP || !(p->options & OPT_FORWARDFOR))
                return;
        g = diag_add(d, DIAG_WARNING, conf_span_name(o, "option forwardfor"), "W0235",
                     "'option forwardfor' ignored for %s '%s' as it requires HTTP mode.", proxy_noun(o), o->name);
        g->parsing = false;
        p->options &= ~(unsigned)OPT_FORWARDFOR;
}

/* Numbers that the file gives: unique among frontends and among backends. */
static void check_id(const struct conf *c, const struct conf_obj *o, const struct proxy_cfg *p, struct diags *d)
{
        struct diag *g;

        if (!p->id)
                return;
        for (const struct conf_obj *x = c->first; x != o; x = x->sibling) {
                const struct proxy_cfg *xp = conf_slot(x, proxy_slot);

                if (!xp || xp->id != p->id || x->kind->is_defaults)
                        continue;
                g = diag_add(d, DIAG_ALERT, conf_span_name(o, "id"), "E0236",
                             "%s %s reuses same custom id as %s %s (declared at %s:%u).", o->kind->name, o->name,
                             x->kind->name, x->name, file_of(d, x->at), x->at.line);
                g->intro = DIAG_INTRO_TIGHT;
                return;
        }
}

/* One pass with a map: a farm may give a number to each of a hundred thousand servers. */
static void check_server_ids(const struct conf_obj *back, struct diags *d)
{
        struct map seen = MAP_INIT;

        for (const struct conf_obj *k = back->child; k; k = k->sibling) {
                const struct server_addr_cfg *a = conf_slot(k, server_addr_slot);
                const struct conf_obj *first;
                struct str key;
                struct diag *g;

                if (k->kind->bit != KIND_SERVER || !a->id)
                        continue;
                key = (struct str){ (const char *)&a->id, sizeof(a->id) };
                first = map_get(&seen, key);
                if (!first) {
                        map_set(&seen, key, (void *)(uintptr_t)k);
                        continue;
                }
                g = diag_add(d, DIAG_ALERT, conf_span_name(k, "id"), "E0238",
                             "'server %s/%s' : 'id' : custom id %d already used at %s:%u ('server %s').", back->name,
                             k->name, a->id, file_of(d, first->at), first->at.line, first->name);
                g->intro = DIAG_INTRO_PLACE;
        }
        map_fini(&seen);
}

void proxy_check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        struct proxy_cfg *p = slot;

        if (o->kind->bit == KIND_DEFAULTS)
                return;
        check_id(c, o, p, d);
        if (o->kind->bit & KIND_BE)
                check_server_ids(o, d);
        if (p->disabled)
                return;
        if (is_front(o)) {
                check_binds(o, d);
                if (p->default_backend)
                        check_default_backend(c, o, p, d);
        }
        check_log_option(o, p, d);
        check_timeouts(o, p, d);
        check_forwardfor(o, p, d);
}

/* ---- servers ---- */

static void check_server_name(const struct conf_obj *o, struct diags *d)
{
        const struct conf_obj *first;

        if (!o->again)
                return;
        first = conf_find_child(o->parent, KIND_SERVER, str_of(o->name));
        diag_add(d, DIAG_ALERT, o->at, "E0237",
                 "%s '%s', another server named '%s' was already defined at line %u, please use distinct names.",
                 proxy_noun(o->parent), o->parent->name, o->name, first->at.line);
}

static void bad_track(const struct conf_obj *o, struct diags *d, const char *code, const char *fmt, ...) fmt_like(4, 5);

static void bad_track(const struct conf_obj *o, struct diags *d, const char *code, const char *fmt, ...)
{
        char text[512];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        diag_add(d, DIAG_ALERT, conf_span_name(o, "track"), code, "'server %s/%s' : %s", o->parent->name, o->name, text)
                ->intro = DIAG_INTRO_PLACE;
}

/* Whom a line tracks; NULL: nobody, or nobody there, which is said when `d` is given. */
static const struct conf_obj *tracked(const struct conf *c, const struct conf_obj *o, struct diags *d)
{
        const char *name = ((const struct server_cfg *)conf_slot(o, server_slot))->track;
        const char *slash = name ? strchr(name, '/') : NULL;
        struct str px = slash ? (struct str){ name, (size_t)(slash - name) } : str_of(o->parent->name);
        const struct conf_obj *b, *s;

        if (!name)
                return NULL;
        b = conf_find(c, KIND_BE, px);
        s = b ? conf_find_child(b, KIND_SERVER, str_of(slash ? slash + 1 : name)) : NULL;
        if (!b && d)
                bad_track(o, d, "E0239", "unable to find required proxy '%.*s' for tracking.", (int)px.n, px.p);
        else if (!s && d)
                bad_track(o, d, "E0240", "unable to find required server '%s' for tracking.", slash ? slash + 1 : name);
        return s;
}

static bool is_checked(const struct conf_obj *o)
{
        const struct check_cfg *health = check_words(o, false), *agent = check_words(o, true);

        return (health && health->check) || (agent && agent->check);
}

/* The chain must end at a server that is checked. Of a loop, each line that stands in it is told. */
static void check_track(const struct conf *c, const struct conf_obj *o, struct diags *d)
{
        const struct conf_obj *first = tracked(c, o, d), *at = first, *end = first, *slow = first;

        for (bool odd = false; at; odd = !odd) {
                end = at;
                at = tracked(c, at, NULL);
                if (at && (at == o || end == o)) {
                        bad_track(o, d, "E0241",
                                  "unable to track %s/%s as it belongs to a tracking chain looping back to %s/%s.",
                                  first->parent->name, first->name, o->parent->name, o->name);
                        return;
                }
                slow = odd ? tracked(c, slow, NULL) : slow;
                if (at && at == slow) /* a loop further on: told where it is */
                        return;
        }
        if (end && !((const struct server_cfg *)conf_slot(end, server_slot))->track && !is_checked(end))
                bad_track(o, d, "E0242",
                          "unable to use %s/%s for tracking as it does not have any check nor agent enabled.",
                          end->parent->name, end->name);
}

void server_check_line(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        (void)slot;
        if (o->kind->bit != KIND_SERVER)
                return;
        check_server_name(o, d);
        check_track(c, o, d);
}
