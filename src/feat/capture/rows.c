/* feat/capture/rows.c - `capture request header`, `capture response header`, `capture cookie`, `declare capture`,
 * tune.http.cookielen. */
#include "core/kinds.h"
#include "core/proxy.h"
#include "feat/capture/capture.h"

struct capture_global { /* slot "capture_global" */
        int cookielen;
};
extern int capture_global_slot;

void capture_add(struct conf *c, struct capture_cfg *cfg, unsigned side, const struct capture_slot *what)
{
        struct capture_slot *s = conf_alloc(c, sizeof(*s));

        *s = *what;
        s->prev = cfg->last[side];
        cfg->last[side] = s;
        cfg->n[side]++;
}

static unsigned side_of(const struct kw *kw)
{
        return strstr(kw->name, "response") ? CAPTURE_RES : CAPTURE_REQ;
}

static bool take_len(struct kw_call *c, const struct word *w, uint32_t *ret_len)
{
        int64_t v = 0;

        if (!kw_arg_int(c, w, 1, INT32_MAX, &v))
                return false;
        *ret_len = (uint32_t)v;
        return true;
}

static int header_parse(struct kw_call *c)
{
        struct capture_slot s = { .prev = NULL };
        char *lower;

        if (c->n_args < 3 || !str_is(c->args[1].text, "len")) {
                (void)kw_fail(c, NULL, "E0760", "'capture %s' expects 'header' <header_name> 'len' <len>.",
                              side_of(c->kw) == CAPTURE_RES ? "response" : "request");
                return -1;
        }
        if (!str_is_token(c->args[0].text)) {
                (void)kw_fail(c, &c->args[0], "E0760", "'%.*s' is not a header field's name.", (int)c->args[0].text.n,
                              c->args[0].text.p);
                return -1;
        }
        if (!take_len(c, &c->args[2], &s.len))
                return -1;
        lower = conf_alloc(c->conf, c->args[0].text.n + 1);
        for (size_t i = 0; i < c->args[0].text.n; i++)
                lower[i] = (char)chr_lower((unsigned char)c->args[0].text.p[i]);
        s.name = conf_intern(c->conf, c->args[0].text);
        s.lower = lower;
        capture_add(c->conf, c->slot, side_of(c->kw), &s);
        return 3;
}

static int declare_parse(struct kw_call *c)
{
        struct capture_slot s = { .prev = NULL };
        bool res = c->n_args && str_is(c->args[0].text, "response");

        if (!res && !(c->n_args && str_is(c->args[0].text, "request"))) {
                (void)kw_fail(c, NULL, "E0760", "'declare capture' requires a direction ('request' or 'response')");
                return -1;
        }
        if (c->n_args < 3 || !str_is(c->args[1].text, "len")) {
                (void)kw_fail(c, NULL, "E0760", "'declare capture' requires a capture length ('len')");
                return -1;
        }
        if (!take_len(c, &c->args[2], &s.len))
                return -1;
        capture_add(c->conf, c->slot, res ? CAPTURE_RES : CAPTURE_REQ, &s);
        return 3;
}

static int cookie_parse(struct kw_call *c)
{
        struct capture_cfg *cfg = c->slot;
        uint32_t len = 0;

        if (c->n_args < 3 || !str_is(c->args[1].text, "len") || c->args[0].text.n == 0) {
                (void)kw_fail(c, NULL, "E0760", "'capture' expects 'cookie' <cookie_name> 'len' <len>.");
                return -1;
        }
        if (!take_len(c, &c->args[2], &len))
                return -1;
        cfg->cookie = conf_intern(c->conf, c->args[0].text);
        cfg->cookie_len = (int)len;
        return 3;
}

/* In their order, for it is their number; those of rules come with the rules. */
static void dump_slots(const struct capture_slot *s, unsigned side, struct buf *out)
{
        static const char *const names[] = { "request", "response" };

        if (!s)
                return;
        dump_slots(s->prev, side, out);
        if (s->name)
                buf_printf(out, "    capture %s header %s len %u\n", names[side], s->name, s->len);
        else if (!s->of_rule)
                buf_printf(out, "    declare capture %s len %u\n", names[side], s->len);
}

static void header_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        dump_slots(((const struct capture_cfg *)slot)->last[side_of(kw)], side_of(kw), out);
}

/* Printed with the fields of its side. */
static void declare_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw, (void)slot, (void)out;
}

static void cookie_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct capture_cfg *cfg = slot;

        (void)kw;
        if (!cfg->cookie)
                return;
        buf_puts(out, "    capture cookie ");
        kw_quote(out, cfg->cookie);
        buf_printf(out, " len %d\n", cfg->cookie_len);
}

#define FRONTS (KIND_FRONTEND | KIND_LISTEN)

static const struct kw rows[] = {
        KW_FN("capture request header", header_parse, header_dump, .manual = "4.2", .apply = KW_NEW, .kinds = FRONTS,
              .warn_kinds = KIND_BACKEND, .args = "<name> len <length>", .sample = "Host len 15",
              .help = "Keeps the last field of this name of each request, cut to the length, for the log (%hr) and "
                      "capture.req.hdr()."),
        KW_FN("capture response header", header_parse, header_dump, .manual = "4.2", .apply = KW_NEW, .kinds = FRONTS,
              .warn_kinds = KIND_BACKEND, .args = "<name> len <length>", .sample = "Server len 15",
              .help = "Keeps the last field of this name of each answer, cut to the length, for the log (%hs) and "
                      "capture.res.hdr()."),
        KW_FN("capture cookie", cookie_parse, cookie_dump, .manual = "4.2", .apply = KW_NEW, .kinds = FRONTS,
              .warn_kinds = KIND_BACKEND, .args = "<name> len <length>", .sample = "SID= len 32",
              .help = "Keeps the first cookie whose name begins so, of request and answer, as name=value for the log "
                      "(%CC, %CS)."),
        KW_FN("declare capture", declare_parse, declare_dump, .manual = "4.2", .apply = KW_NEW, .kinds = FRONTS,
              .args = "{ request | response } len <length>", .sample = "request len 15",
              .help = "A slot that rules fill: `http-request capture <sample> id <number>`, in backends too."),
};

static void number(struct conf *c, struct capture_cfg *cfg, unsigned side)
{
        uint32_t i = cfg->n[side];

        cfg->slot[side] = conf_alloc(c, (i + 1) * sizeof(cfg->slot[side][0]));
        for (const struct capture_slot *s = cfg->last[side]; s; s = s->prev) {
                cfg->slot[side][--i] = s;
                cfg->fields[side] |= s->name != NULL;
        }
}

static void check_uses(const struct conf_obj *o, const struct capture_cfg *cfg, struct diags *d)
{
        for (const struct capture_use *u = cfg->uses; u; u = u->prev) {
                if (u->id >= cfg->n[u->side])
                        (void)diag_add(d, DIAG_ALERT, u->at, "E0761",
                                       "Proxy '%s': unable to find capture id '%lld' referenced by %s capture rule.",
                                       o->name, (long long)u->id, u->kw);
        }
}

static void check_cookie(const struct conf *c, struct conf_obj *o, struct capture_cfg *cfg, struct diags *d)
{
        const struct conf_obj *g = conf_find(c, KIND_GLOBAL, STR(""));
        int max = g ? ((const struct capture_global *)conf_slot(g, capture_global_slot))->cookielen : 63;

        cfg->cookie_max = cfg->cookie_len < max ? cfg->cookie_len : max;
        if (cfg->cookie && cfg->cookie_len > max)
                (void)diag_add(d, DIAG_WARNING, conf_span_name(o, "capture cookie"), "W0760",
                               "truncating capture length to %d bytes for frontend '%s'.", max, o->name);
}

static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        struct capture_cfg *cfg = slot;
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);

        if (!(o->kind->bit & FRONTS))
                return;
        for (unsigned side = 0; side < CAPTURE_SIDES; side++) {
                if (cfg->n[side])
                        number(c, cfg, side);
        }
        check_uses(o, cfg, d);
        check_cookie(c, o, cfg, d);
        if (px && px->mode != PX_HTTP && (cfg->cookie || cfg->fields[0] || cfg->fields[1]))
                (void)diag_add(d, DIAG_WARNING, o->at, "W0761",
                               "'capture' statement ignored for frontend '%s' as it requires HTTP mode.", o->name);
}

KW_TABLE(capture, KIND_PROXY, struct capture_cfg, rows, .check = check);

static const struct kw global_rows[] = {
        KW_INT("tune.http.cookielen", struct capture_global, cookielen, 1, CAPTURE_COOKIE_MAX, .apply = KW_NEW,
               .manual = "3.2", .args = "<number>", .help = "most bytes that `capture cookie` keeps"),
};
static const struct capture_global defaults = { .cookielen = 63 };
KW_TABLE(capture_global, KIND_GLOBAL, struct capture_global, global_rows, .defaults = &defaults);
