/* core/page.c - answers that the file describes: parsed while loading, sent by strm_reply(). */
#include "core/page.h"

#include "conf/conf.h"
#include "core/strm_priv.h"
#include "proto/h1.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { FILE_MAX = 16384, VALUES_MAX = 8192, BODY_MAX = 16384 };

const short page_code[PAGE_CODES] = { 200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414,
                                      421, 422, 425, 429, 431, 500, 501, 502, 503, 504 };

int page_index(int64_t status)
{
        for (int i = 0; i < PAGE_CODES; i++)
                if (page_code[i] == status)
                        return i;
        return -1;
}

/* ---- files ---- */

static char *copy(struct conf *c, struct str s)
{
        char *p = conf_alloc(c, s.n + 1);

        if (s.n)
                memcpy(p, s.p, s.n);
        return p;
}

/* What a file says is part of what the object is: an equal line with another file behind it is a change. FNV-1a: the same in every
 * process, as it is dumped. */
static void note_contents(struct kw_call *c, struct str text)
{
        struct pages_cfg *cfg = conf_slot_edit(c->conf, c->obj, pages_slot);
        uint64_t h = cfg->contents ? cfg->contents : 0xcbf29ce484222325u;

        for (size_t i = 0; i < text.n; i++)
                h = (h ^ (unsigned char)text.p[i]) * 0x100000001b3u;
        cfg->contents = h;
}

static bool read_text(struct kw_call *c, enum vfs_kind kind, struct str path, struct str *ret_text)
{
        if (conf_read_file(c->conf, kind, conf_intern(c->conf, path), ret_text) < 0)
                return false;
        note_contents(c, *ret_text);
        return true;
}

/* Fields as they stood, but for those that the writer answers for. */
static void keep_fields(struct conf *c, const struct hmsg *m, struct page *p)
{
        struct page_field *f = conf_alloc(c, PAGE_FIELDS_MAX * sizeof(*f));

        p->field = f;
        for (int i = hmsg_next(m, 0); i >= 0; i = hmsg_next(m, i + 1)) {
                struct str name = hmsg_name(m, i);

                if (!str_is(name, "connection") && !str_is(name, "content-length") && p->n_fields < PAGE_FIELDS_MAX)
                        f[p->n_fields++] = (struct page_field){ name, hmsg_value(m, i), NULL };
        }
}

/* What is wrong with a head that is good HTTP, but no error file's. */
static const char *unfit(const struct hmsg *m, size_t body)
{
        static char why[128];

        if (hmsg_find(m, HID_TRANSFER_ENCODING, 0) >= 0)
                return "chunk-encoded payload not supported";
        if (m->status < 200)
                return "an interim response cannot end an exchange";
        if (m->nf > PAGE_FIELDS_MAX)
                return "too many header fields (16 at most)";
        if (m->body != HBODY_LENGTH || m->length == body)
                return NULL;
        (void)snprintf(why, sizeof(why), "payload size does not match the announced content-length (%zu != %llu)", body,
                       (unsigned long long)m->length);
        return why;
}

static const char *parse_file(struct conf *c, struct str text, struct page *p)
{
        static char why[256];
        struct hfield *fields = conf_alloc(c, 64 * sizeof(*fields));
        struct hmsg m;
        struct h1 h;
        const char *bad;

        hmsg_init(&m, fields, 64, NULL, 0);
        hmsg_rebase(&m, copy(c, text), (uint32_t)text.n);
        h1_init(&h, 0, 0);
        switch (h1_response(&h, &m, (uint32_t)text.n, HMETH_GET)) {
        case H1_OK: break;
        case H1_MORE: return "unable to parse headers (there is no empty line behind them)";
        default:
                (void)snprintf(why, sizeof(why), "unable to parse headers (error offset: %u, %s)", h.bad_at,
                               h1_why_text(h.why));
                return why;
        }
        bad = unfit(&m, text.n - m.head_len);
        if (bad)
                return bad;
        p->sent = m.status;
        p->http10 = m.minor == 0;
        p->no_length = hmsg_find(&m, HID_CONTENT_LENGTH, 0) < 0;
        p->reason = hmsg_reason(&m);
        p->body = (struct str){ m.blk[0].p + m.head_len, text.n - m.head_len };
        keep_fields(c, &m, p);
        return NULL;
}

const struct page *page_read(struct kw_call *c, int status, struct str path, const char **ret_why)
{
        static char text_of_why[512];
        struct page *p = conf_alloc(c->conf, sizeof(*p));
        const char *why;
        struct str text;

        p->form = PAGE_FILE;
        p->status = status;
        if (!read_text(c, VFS_ERRORFILE, path, &text)) {
                (void)snprintf(text_of_why, sizeof(text_of_why), "error opening file '%.*s'", (int)path.n, path.p);
                *ret_why = text_of_why;
                return NULL;
        }
        if (text.n == 0) {
                p->form = PAGE_SILENT;
                return p;
        }
        why = text.n > FILE_MAX ? "larger than 16384 bytes" : parse_file(c->conf, text, p);
        if (!why)
                return p;
        (void)snprintf(text_of_why, sizeof(text_of_why), "'%.*s': %s", (int)path.n, path.p, why);
        *ret_why = text_of_why;
        return NULL;
}

const struct page *page_redirect(struct kw_call *c, int status, int sent, struct str url)
{
        struct page_field *f = conf_alloc(c->conf, 2 * sizeof(*f));
        struct page *p = conf_alloc(c->conf, sizeof(*p));

        f[0] = (struct page_field){ STR("cache-control"), STR("no-cache"), NULL };
        f[1] = (struct page_field){ STR("location"), str_of(conf_intern(c->conf, url)), NULL };
        *p = (struct page){ .form = PAGE_FILE, .status = status, .sent = sent, .n_fields = 2, .field = f };
        return p;
}

/* ---- words ---- */

struct parse {
        const struct page_words *w;
        struct page *p;
        size_t i;                   /* the word that is looked at */
        const char *contents;       /* which word said what the answer holds; NULL: none */
        const struct word *type_at; /* content-type */
        bool has_status;
};

static int fail(const struct parse *x, const struct word *at, const char *fmt, ...) fmt_like(3, 4);
static int fail(const struct parse *x, const struct word *at, const char *fmt, ...)
{
        char why[512];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        (void)kw_fail(x->w->kw, at, "E0760", "%s%s.", x->w->before, why);
        return -1;
}

static const struct word *word_at(const struct parse *x, size_t i)
{
        return i < x->w->n ? &x->w->w[i] : NULL;
}

static int take_status(struct parse *x)
{
        const struct word *w = word_at(x, x->i + 1);
        int64_t v;

        if (!w)
                return fail(x, word_at(x, x->i), "'%s' expects <status_code> as argument", "status");
        if (!str_to_i64(w->text, &v) || (x->w->any_status ? v < 200 || v > 599 : page_index(v) < 0))
                return fail(x, w, "Unexpected status code '%.*s'", (int)w->text.n, w->text.p);
        x->p->status = (int)v;
        x->has_status = true;
        return 2;
}

static int take_field(struct parse *x)
{
        const struct word *name = word_at(x, x->i + 1), *value = word_at(x, x->i + 2);
        struct conf *c = x->w->kw->conf;
        struct page_field *f;
        char *lower;

        if (!value)
                return fail(x, word_at(x, x->i), "'hdr' expects <name> and <value> as arguments");
        if (x->p->n_fields == PAGE_FIELDS_MAX)
                return fail(x, name, "too many 'hdr' (%d at most)", PAGE_FIELDS_MAX);
        if (!str_is_token(name->text))
                return fail(x, name, "'%.*s' is not a valid header name", (int)name->text.n, name->text.p);
        if (!x->p->field)
                x->p->field = conf_alloc(c, PAGE_FIELDS_MAX * sizeof(*f));
        lower = copy(c, name->text);
        for (size_t i = 0; i < name->text.n; i++)
                lower[i] = (char)chr_lower((unsigned char)lower[i]);
        f = (struct page_field *)(uintptr_t)&x->p->field[x->p->n_fields];
        f->name = (struct str){ lower, name->text.n };
        f->fmt = logfmt_compile(x->w->kw, value->text, value, x->w->allowed);
        if (!f->fmt)
                return -1;
        x->p->n_fields++;
        return 3;
}

static int take_error_file(struct parse *x, const struct word *arg)
{
        const char *why;
        const struct page *p = page_read(x->w->kw, x->p->status, arg->text, &why);

        if (!p)
                return fail(x, arg, "%s", why);
        x->p->form = p->form;
        x->p->sent = p->sent;
        x->p->http10 = p->http10;
        x->p->no_length = p->no_length;
        x->p->reason = p->reason;
        x->p->body = p->body;
        x->p->field = p->field; /* "hdr" and an error file: its own fields count */
        x->p->n_fields = p->n_fields;
        return 2;
}

static int take_contents(struct parse *x, const struct word *arg, bool file, bool format)
{
        struct kw_call *c = x->w->kw;
        struct str text = arg->text;

        x->p->form = PAGE_MADE;
        if (file && !read_text(c, VFS_OTHER, arg->text, &text))
                return fail(x, arg, "error opening file '%.*s'", (int)arg->text.n, arg->text.p);
        if (text.n > BODY_MAX)
                return fail(x, arg, "file '%.*s' is larger than %d bytes", (int)arg->text.n, arg->text.p, BODY_MAX);
        if (!format)
                x->p->body = (struct str){ copy(c->conf, text), text.n };
        else if (!(x->p->body_fmt = logfmt_compile(c, text, arg, x->w->allowed)))
                return -1;
        return 2;
}

static int take_what(struct parse *x)
{
        static const char *const argless = "default-errorfiles";
        struct str what = word_at(x, x->i)->text;
        const struct word *arg = word_at(x, x->i + 1);
        struct kw_call *c = x->w->kw;

        if (x->contents)
                return fail(x, word_at(x, x->i), "unexpected '%.*s' argument, '%s' already defined", (int)what.n,
                            what.p, x->contents);
        x->contents = conf_intern(c->conf, what);
        if (str_is(what, argless)) {
                x->p->form = PAGE_DEFAULT;
                return 1;
        }
        if (!arg)
                return fail(x, word_at(x, x->i), "'%.*s' expects an argument", (int)what.n, what.p);
        if (str_is(what, "errorfiles")) {
                x->p->form = PAGE_NAMED;
                x->p->set = conf_intern(c->conf, arg->text);
                pages_refer(c, x->p->set, 0, arg->at);
                return 2;
        }
        if (str_is(what, "errorfile"))
                return take_error_file(x, arg);
        return take_contents(x, arg, str_is(what, "file") || str_is(what, "lf-file"),
                             str_is(what, "lf-string") || str_is(what, "lf-file"));
}

/* How many words it took; 0: not one of ours. */
static int take_one(struct parse *x)
{
        static const char *const contents[] = {
                "default-errorfiles", "errorfile", "errorfiles", "file", "lf-file", "string", "lf-string"
        };
        struct str w = word_at(x, x->i)->text;

        if (str_is(w, "status") || str_is(w, "deny_status"))
                return take_status(x);
        if (str_is(w, "hdr"))
                return take_field(x);
        if (str_is(w, "content-type")) {
                x->type_at = word_at(x, x->i + 1);
                if (!x->type_at)
                        return fail(x, word_at(x, x->i), "'content-type' expects <ctype> as argument");
                x->p->type = str_of(conf_intern(x->w->kw->conf, x->type_at->text));
                return 2;
        }
        for (size_t k = 0; k < array_len(contents); k++)
                if (str_is(w, contents[k]))
                        return take_what(x);
        return 0;
}

/* Words that say nothing beside others are said to do so, as HAProxy does. */
static void warn_unused(struct parse *x, bool had_fields)
{
        bool payload = x->p->form == PAGE_MADE && x->contents;

        if (payload)
                return;
        if (x->type_at)
                (void)kw_warn(
                        x->w->kw, x->type_at, "W0741", "content-type '%s' ignored by the http reply %s.", x->p->type.p,
                        x->contents ? "when used with an errorfile" : "because neither errorfile nor payload defined");
        if (had_fields && x->contents)
                (void)kw_warn(x->w->kw, NULL, "W0741",
                              "hdr parameters ignored by the http reply when used with an errorfile.");
        x->p->type.n = 0;
}

int page_parse(const struct page_words *w, const struct page **ret_page)
{
        struct page *p = conf_alloc(w->kw->conf, sizeof(*p));
        struct parse x = { .w = w, .p = p };
        bool had_fields = false;

        p->status = w->status;
        p->form = PAGE_MADE;
        while (x.i < w->n) {
                int took = take_one(&x);

                if (took < 0)
                        return -1;
                if (took == 0)
                        break;
                had_fields |= took == 3;
                x.i += (size_t)took;
        }
        if (!x.contents && w->as_error && !had_fields)
                p->form = PAGE_DEFAULT;
        if (p->form == PAGE_MADE && x.contents && (p->body.n || p->body_fmt) && !x.type_at)
                return fail(&x, NULL, "a content type must be defined when non-empty payload is configured");
        warn_unused(&x, had_fields);
        *ret_page = p;
        return (int)x.i;
}

/* ---- sending ---- */

/* A field that comes out empty is left out, as in HAProxy. */
static unsigned print_fields(const struct page *p, const struct expr_ctx *x, char *room, size_t n,
                             struct reply_field *f)
{
        unsigned used = 0;

        for (unsigned i = 0; i < p->n_fields; i++) {
                const struct page_field *pf = &p->field[i];
                struct str value = pf->value;
                size_t len;

                if (pf->fmt) {
                        len = logfmt_print(pf->fmt, x, room, n);
                        value = str_trim((struct str){ room, len }); /* RFC 9110 5.5: no blanks around a field value */
                        room += len;
                        n -= len;
                }
                if (value.n || !pf->fmt)
                        f[used++] = (struct reply_field){ pf->name, value };
        }
        return used;
}

/* The server's answer is dropped unread: not before the new one was printed, which may quote it. */
static void drop_answer(struct strm *s)
{
        if (!s->rsp)
                return;
        expr_keep_status(s);
        s->sv.ops->rx_head_free(&s->sv);
        s->rsp = NULL;
}

static void send_made(struct strm *s, const struct page *p, const struct expr_ctx *x)
{
        struct reply_field fields[PAGE_FIELDS_MAX];
        char values[VALUES_MAX], body[BODY_MAX];
        struct reply r = { .status = p->status,
                           .sent = p->sent,
                           .reason = p->reason,
                           .http10 = p->http10,
                           .no_length = p->no_length,
                           .type = p->type,
                           .body = p->body,
                           .fields = fields };

        r.n_fields = print_fields(p, x, values, sizeof(values), fields);
        if (p->body_fmt)
                r.body = (struct str){ body, logfmt_print(p->body_fmt, x, body, sizeof(body)) };
        drop_answer(s);
        strm_reply(s, &r);
}

static const struct page *in_section(const struct conf *c, const char *name, int status)
{
        const struct conf_obj *o = conf_find(c, KIND_HTTP_ERRORS, str_of(name));
        const struct pages_cfg *cfg = o ? conf_slot(o, pages_slot) : NULL;
        int i = page_index(status);

        return cfg && i >= 0 ? cfg->at[i] : NULL;
}

/* The page behind "errorfiles <name>": of the configuration that whoever named it is from. */
static const struct page *named(const struct strm *s, const struct page *p)
{
        const struct page *got = NULL;

        while (p && p->form == PAGE_NAMED) {
                if (s->bcfg)
                        got = in_section(s->bcfg->conf, p->set, p->status);
                if (!got)
                        got = in_section(s->fcfg->conf, p->set, p->status);
                p = got ? got : p->otherwise;
        }
        return p;
}

void page_send(struct strm *s, const struct page *p, const struct expr_ctx *x)
{
        int status = p->status;

        if (p->form == PAGE_NAMED)
                p = named(s, p);
        if (p && p->form != PAGE_DEFAULT && p->form != PAGE_SILENT) {
                send_made(s, p, x);
                return;
        }
        drop_answer(s);
        if (!p || p->form == PAGE_DEFAULT)
                strm_answer(s, status);
        else
                strm_answer_nothing(s, status);
}

static const struct page *own(const struct strm *s, const struct conf_obj *o, int i)
{
        const struct pages_cfg *cfg = conf_slot(o, pages_slot);

        return cfg ? named(s, cfg->at[i]) : NULL;
}

const struct page *page_of_stream(const struct strm *s, int status)
{
        int i = page_index(status);
        const struct page *p = NULL;

        if (i >= 0 && s->bcfg)
                p = own(s, s->bcfg->obj, i);
        if (i >= 0 && !p)
                p = own(s, s->fcfg->obj, i);
        return p;
}
