/* core/rows_page.c - errorfile, errorfiles, errorloc, http-error and the http-errors section (manual 4.2, 12.4). */
#include "core/page.h"

#include "conf/conf.h"

#include <stdio.h>

static int complain(struct kw_call *c, const struct word *w, const char *why)
{
        (void)kw_fail(c, w, "E0765", "%s : %s", c->kw->name, why);
        return -1;
}

static int expect(struct kw_call *c, size_t n, const char *what)
{
        char why[128];

        if (c->n_args >= n)
                return 0;
        (void)snprintf(why, sizeof(why), "expects %s.", what);
        return complain(c, NULL, why);
}

static void keep_line(struct kw_call *c, size_t n)
{
        struct pages_cfg *cfg = c->slot;
        struct pages_line *l = conf_alloc(c->conf, sizeof(*l));

        l->keyword = c->kw->name;
        words_keep(c->conf, c->args, n, &l->words);
        l->prev = cfg->lines;
        cfg->lines = l;
}

/* The index of a status that has a page, -1 after an alert. */
static int take_code(struct kw_call *c, const struct word *w)
{
        char why[128];
        int64_t v = 0;
        int i;

        (void)str_to_i64(w->text, &v);
        i = page_index(v);
        if (i >= 0)
                return i;
        (void)snprintf(why, sizeof(why), "status code '%.32s' not handled.", conf_intern(c->conf, w->text));
        return complain(c, w, why);
}

static int errorfile_parse(struct kw_call *c)
{
        struct pages_cfg *cfg = c->slot;
        const struct page *p;
        const char *why;
        int i;

        if (expect(c, 2, "<status_code> and <file> as arguments") < 0 || (i = take_code(c, &c->args[0])) < 0)
                return -1;
        p = page_read(c, page_code[i], c->args[1].text, &why);
        if (!p)
                return complain(c, &c->args[1], why);
        cfg->at[i] = p;
        keep_line(c, 2);
        return 2;
}

static int errorloc_parse(struct kw_call *c)
{
        struct pages_cfg *cfg = c->slot;
        int i;

        if (expect(c, 2, "<status_code> and <url> as arguments") < 0 || (i = take_code(c, &c->args[0])) < 0)
                return -1;
        cfg->at[i] =
                page_redirect(c, page_code[i], strcmp(c->kw->name, "errorloc303") == 0 ? 303 : 302, c->args[1].text);
        keep_line(c, 2);
        return 2;
}

static void put_named(struct kw_call *c, int i, const char *set)
{
        struct pages_cfg *cfg = c->slot;
        struct page *p = conf_alloc(c->conf, sizeof(*p));

        *p = (struct page){ .form = PAGE_NAMED, .status = page_code[i], .set = set, .otherwise = cfg->at[i] };
        cfg->at[i] = p;
}

static int errorfiles_parse(struct kw_call *c)
{
        const char *set;
        int i;

        if (expect(c, 1, "<name> as argument") < 0)
                return -1;
        set = conf_intern(c->conf, c->args[0].text);
        pages_refer(c, set, 0, c->args[0].at);
        for (size_t k = 1; k < c->n_args; k++) {
                i = take_code(c, &c->args[k]);
                if (i < 0)
                        return -1;
                put_named(c, i, set);
                pages_refer(c, set, page_code[i], c->args[0].at);
        }
        for (i = 0; c->n_args == 1 && i < PAGE_CODES; i++)
                put_named(c, i, set);
        keep_line(c, c->n_args);
        return (int)c->n_args;
}

static int http_error_parse(struct kw_call *c)
{
        struct page_words w = {
                .kw = c, .w = c->args, .n = c->n_args, .allowed = EXPR_AT_REQUEST, .before = "http-error : "
        };
        struct pages_cfg *cfg = c->slot;
        const struct page *p;
        struct page *named;
        int took = page_parse(&w, &p), i;

        if (took < 0)
                return -1;
        for (int k = 0; k < took; k++) { /* it may be sent when the request's head is gone */
                if (memchr(c->args[k].text.p, '%', c->args[k].text.n))
                        expr_keep_request(EXPR_REQ_LINE, EXPR_CLIENT);
        }
        if ((size_t)took < c->n_args) {
                (void)kw_fail(c, &c->args[took], "E0765", "http-error : unknown keyword '%.*s'.",
                              (int)c->args[took].text.n, c->args[took].text.p);
                return -1;
        }
        i = page_index(p->status);
        if (i < 0)
                return complain(c, NULL, "expects at least a <status> as arguments.");
        if (p->form == PAGE_NAMED) {
                named = conf_alloc(c->conf, sizeof(*named));
                *named = *p;
                named->otherwise = cfg->at[i];
                p = named;
        }
        cfg->at[i] = p->form == PAGE_DEFAULT ? NULL : p;
        keep_line(c, c->n_args);
        return took;
}

void pages_refer(struct kw_call *c, const char *name, int status, struct span at)
{
        struct pages_cfg *cfg = conf_slot_edit(c->conf, c->obj, pages_slot);
        struct pages_ref *r = conf_alloc(c->conf, sizeof(*r));

        *r = (struct pages_ref){ .prev = cfg->refs, .name = name, .status = status, .at = at };
        cfg->refs = r;
}

/* ---- dump: the lines of all five keywords in the order they stood in, since a later one replaces an earlier one ---- */

static void dump_lines(const struct pages_line *l, struct buf *out)
{
        if (!l)
                return;
        dump_lines(l->prev, out);
        buf_printf(out, "    %s", l->keyword);
        words_dump(&l->words, out);
        buf_putc(out, '\n');
}

static void dump_all(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct pages_cfg *cfg = slot;

        (void)kw;
        dump_lines(cfg->lines, out);
        if (cfg->contents)
                buf_printf(out, "    # contents of its files: %016llx\n", (unsigned long long)cfg->contents);
}

static void dump_with_errorfile(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        (void)slot;
        (void)out;
}

static const struct kw rows[] = {
        KW_FN("errorfile", errorfile_parse, dump_all, .kinds = KIND_PROXY | KIND_HTTP_ERRORS, .manual = "4.2",
              .apply = KW_NEW, .args = "<code> <file>", .sample = "503 /dev/null",
              .help = "Answers with the response in the file where an error page would be sent; an empty file closes in "
                      "silence."),
        KW_FN("errorfiles", errorfiles_parse, dump_with_errorfile, .kinds = KIND_PROXY, .manual = "4.2",
              .apply = KW_NEW, .args = "<section> [<code>...]", .sample = "pages",
              .sample_rest = "http-errors pages\n    errorfile 503 /dev/null\n",
              .help = "Takes the error files of an http-errors section, all or those of the codes given."),
        KW_FN("errorloc", errorloc_parse, dump_with_errorfile, .kinds = KIND_PROXY, .manual = "4.2", .apply = KW_NEW,
              .args = "<code> <url>", .sample = "503 http://sorry.example/",
              .help = "Redirects (302) where an error page would be sent."),
        KW_FN("errorloc302", errorloc_parse, dump_with_errorfile, .kinds = KIND_PROXY, .manual = "4.2", .apply = KW_NEW,
              .args = "<code> <url>", .sample = "503 http://sorry.example/",
              .help = "Redirects (302) where an error page would be sent."),
        KW_FN("errorloc303", errorloc_parse, dump_with_errorfile, .kinds = KIND_PROXY, .manual = "4.2", .apply = KW_NEW,
              .args = "<code> <url>", .sample = "503 http://sorry.example/",
              .help = "Redirects (303: with a GET) where an error page would be sent."),
        KW_FN("http-error", http_error_parse, dump_with_errorfile, .kinds = KIND_PROXY, .manual = "4.2",
              .apply = KW_NEW,
              .args = "status <code> [content-type <type>] [ default-errorfiles | { errorfile | errorfiles | file | lf-file | "
                      "string | lf-string } <contents> ] [ hdr <name> <fmt> ]*",
              .sample = "status 503 content-type text/plain string sorry",
              .help = "Says what is sent where an error page would be."),
};

static uint64_t mix(uint64_t h, uint64_t v)
{
        return (h ^ v) * 0x100000001b3u;
}

static uint64_t mix_section(uint64_t h, const struct pages_cfg *in)
{
        for (int i = 0; i < PAGE_CODES; i++)
                h = mix(h, in->at[i] != NULL);
        return mix(h, in->contents);
}

static void complain_ref(const struct conf_obj *o, const struct pages_ref *r, const struct pages_cfg *in,
                         struct diags *d)
{
        if (!in)
                diag_add(d, DIAG_ALERT, r->at, "E0766", "proxy '%s': unknown http-errors section '%s'.", o->name,
                         r->name)
                        ->parsing = false;
        else if (r->status && !in->at[page_index(r->status)])
                diag_add(d, DIAG_WARNING, r->at, "W0766",
                         "proxy '%s' : status '%d' not declared in http-errors section '%s'.", o->name, r->status,
                         r->name)
                        ->parsing = false;
}

/* Names must lead somewhere; what stands behind them is part of what this object is. */
static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        struct pages_cfg *cfg = slot;
        const struct pages_cfg *from = o->from ? conf_slot(o->from, pages_slot) : NULL;
        bool own = true; /* what came from defaults was complained about there */

        for (const struct pages_ref *r = cfg->refs; r; r = r->prev) {
                const struct conf_obj *set = conf_find(c, KIND_HTTP_ERRORS, str_of(r->name));
                const struct pages_cfg *in = set ? conf_slot(set, pages_slot) : NULL;

                own = own && !(from && r == from->refs);
                if (own)
                        complain_ref(o, r, in, d);
                if (in)
                        cfg->contents = mix_section(cfg->contents, in);
        }
}

KW_TABLE(pages, KIND_PROXY | KIND_HTTP_ERRORS, struct pages_cfg, rows, .check = check);
