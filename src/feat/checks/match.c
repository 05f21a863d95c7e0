/* feat/checks/match.c - does what was received meet an expect step? The texts are HAProxy's, where it has one. */
#include "base/thr.h"
#include "feat/checks/checks.h"

#include <stdarg.h>
#include <stdio.h>

static void say(struct match *m, const char *fmt, ...) fmt_like(2, 3);

static void say(struct match *m, const char *fmt, ...)
{
        size_t n = strlen(m->info);
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(m->info + n, sizeof(m->info) - n, fmt, ap);
        va_end(ap);
}

static void say_comment(struct match *m, const struct step *s)
{
        if (s->comment)
                say(m, " comment: %s", s->comment);
}

static void say_bytes(struct match *m, struct str s)
{
        size_t n = s.n < sizeof(m->info) - 1 ? s.n : sizeof(m->info) - 1;

        memcpy(m->info, s.p, n);
        m->info[n] = '\0';
}

static struct match answer(enum match_answer a, enum check_status st)
{
        return (struct match){ .answer = a, .status = st };
}

enum { TEXT_MAX = 4096 };

static struct str print(const struct logfmt *f, const struct expr_ctx *x, char room[TEXT_MAX])
{
        return (struct str){ room, logfmt_print(f, x, room, TEXT_MAX) };
}

static bool contains(struct str in, struct str what)
{
        return what.n == 0 || (in.n && memmem(in.p, in.n, what.p, what.n) != NULL);
}

/* ---- bytes: tcp-check expect ---- */

/* In upper case, as HAProxy prints them: patterns of files count on it. */
static struct str as_hex(struct str in)
{
        static const char digits[] = "0123456789ABCDEF";
        size_t cap, n = 0;
        char *p = expr_scratch(&cap);

        for (size_t i = 0; i < in.n && n + 2 <= cap; i++) {
                p[n++] = digits[(unsigned char)in.p[i] >> 4];
                p[n++] = digits[in.p[i] & 15];
        }
        return (struct str){ p, n };
}

enum found { FOUND_NO, FOUND_YES, FOUND_BAD_HEX };

static enum found find_hex_format(const struct step_expect *e, struct str in, const struct expr_ctx *x)
{
        char room[TEXT_MAX];
        struct str t = print(e->fmt, x, room);

        if (!hex_decode((char *)(uintptr_t)t.p, &t.n))
                return FOUND_BAD_HEX;
        return contains(in, t) ? FOUND_YES : FOUND_NO;
}

static enum found find(const struct step_expect *e, struct str in, const struct expr_ctx *x)
{
        char room[TEXT_MAX];

        switch (e->kind) {
        case EXPECT_REGEX:
        case EXPECT_BODY_REGEX: return regex_match(e->re, in) ? FOUND_YES : FOUND_NO;
        case EXPECT_BINARY_REGEX: return regex_match(e->re, as_hex(in)) ? FOUND_YES : FOUND_NO;
        case EXPECT_STRING_LF:
        case EXPECT_BODY_LF: return contains(in, print(e->fmt, x, room)) ? FOUND_YES : FOUND_NO;
        case EXPECT_BINARY_LF: return find_hex_format(e, in, x);
        default: return contains(in, e->text) ? FOUND_YES : FOUND_NO;
        }
}

/* manual, min-recv: below it nothing is judged; from it on the judgement is final. (The manual lowers it to the length of an exact
 * string; the programs do not.) */
static bool must_wait(const struct step_expect *e, size_t n)
{
        return e->min_recv > 0 && n < (size_t)e->min_recv;
}

static struct match wrong_bytes(const struct step *s)
{
        const struct step_expect *e = &s->expect;
        struct match m = answer(MATCH_NO, CHECK_L7RSP);

        say(&m, e->negate ? "TCPCHK matched unwanted content" : "TCPCHK did not match content");
        switch (e->kind) {
        case EXPECT_REGEX: say(&m, " (regex)"); break;
        case EXPECT_BINARY: say(&m, " (binary)"); break;
        case EXPECT_BINARY_REGEX: say(&m, " (binary regex)"); break;
        case EXPECT_STRING_LF: say(&m, " (log-format string)"); break;
        case EXPECT_BINARY_LF: say(&m, " (log-format binary)"); break;
        default: say(&m, " '%s'", e->text.p); break;
        }
        say(&m, " at step %u", s->number);
        say_comment(&m, s);
        return m;
}

static struct match match_bytes(const struct run *r, const struct step *s, const struct expr_ctx *x)
{
        const struct step_expect *e = &s->expect;
        struct str in = buf_view(&r->in);
        struct match m = answer(MATCH_NO, CHECK_L7RSP);
        enum found f;
        bool last = r->ended || r->full;

        if (last && in.n == 0 && !e->negate) {
                say(&m, "TCPCHK got an empty response at step %u", s->number);
                say_comment(&m, s);
                return m;
        }
        if (!last && must_wait(e, in.n))
                return answer(MATCH_WAIT, CHECK_UNKNOWN);
        f = find(e, in, x);
        if (f == FOUND_BAD_HEX) {
                say(&m, "Failed to parse hexastring resulting of eval of a log-format string");
                return m;
        }
        if (f == FOUND_NO && !last && e->min_recv < 0)
                return answer(MATCH_WAIT, CHECK_UNKNOWN);
        return (f == FOUND_YES) != e->negate ? answer(MATCH_YES, CHECK_UNKNOWN) : wrong_bytes(s);
}

/* ---- HTTP: http-check expect ---- */

static bool in_ranges(const struct step_expect *e, int code)
{
        for (uint32_t i = 0; i < e->n_ranges; i++) {
                if (code >= e->ranges[i].lo && code <= e->ranges[i].hi)
                        return true;
        }
        return false;
}

static bool text_is(const struct text_match *t, struct str v, bool icase, struct str want)
{
        struct str part = v;

        if (t->how == TEXT_REG)
                return regex_match(t->re, v);
        if (v.n < want.n)
                return false;
        if (t->how == TEXT_SUB) {
                for (size_t i = 0; i + want.n <= v.n; i++) {
                        part = str_sub(v, i, want.n);
                        if (icase ? str_ieq(part, want) : str_eq(part, want))
                                return true;
                }
                return false;
        }
        if (t->how == TEXT_BEG)
                part = str_sub(v, 0, want.n);
        else if (t->how == TEXT_END)
                part = str_sub(v, v.n - want.n, want.n);
        return icase ? str_ieq(part, want) : str_eq(part, want);
}

/* The values of one field, between commas unless `full` (RFC 9110 5.6.1). */
static bool value_is(const struct step_expect *e, struct str v, struct str want, bool full)
{
        const char *comma = full || v.n == 0 ? NULL : memchr(v.p, ',', v.n);

        while (comma) {
                size_t n = (size_t)(comma - v.p);

                if (text_is(&e->value, str_trim(str_sub(v, 0, n)), false, want))
                        return true;
                v = str_sub(v, n + 1, v.n - n - 1);
                comma = v.n ? memchr(v.p, ',', v.n) : NULL;
        }
        return text_is(&e->value, str_trim(v), false, want);
}

static bool field_is(const struct step_expect *e, const struct expr_ctx *x)
{
        char rooms[2][TEXT_MAX];
        struct str name = e->name.fmt ? print(e->name.fmt, x, rooms[0]) : e->name.text;
        struct str value = e->value.fmt ? print(e->value.fmt, x, rooms[1]) : e->value.text;
        const struct hmsg *m = x->rsp;

        if ((e->name.fmt && name.n == 0) || (e->value.fmt && value.n == 0))
                return false; /* nothing to look for: an unset variable must not make any field fit */
        for (int i = hmsg_next(m, 0); i >= 0; i = hmsg_next(m, i + 1)) {
                if (text_is(&e->name, hmsg_name(m, i), true, name) &&
                    (!e->value.used || value_is(e, hmsg_value(m, i), value, e->kind == EXPECT_FHDR)))
                        return true;
        }
        return false;
}

static struct match wrong_head(const struct step *s, const struct hmsg *m)
{
        struct match r = answer(MATCH_NO, CHECK_L7STS);

        r.code = m->status;
        say_bytes(&r, hmsg_reason(m));
        say_comment(&r, s);
        return r;
}

static bool head_meets(const struct step_expect *e, const struct expr_ctx *x)
{
        char code[16];
        int n;

        switch (e->kind) {
        case EXPECT_STATUS: return in_ranges(e, x->rsp->status);
        case EXPECT_STATUS_REGEX:
                n = snprintf(code, sizeof(code), "%d", x->rsp->status);
                return regex_match(e->re, (struct str){ code, (size_t)n });
        default: return field_is(e, x);
        }
}

static struct match match_body(const struct run *r, const struct step *s, const struct expr_ctx *x)
{
        const struct step_expect *e = &s->expect;
        struct match m = answer(MATCH_NO, CHECK_L7RSP);
        bool last = r->rsp->stage == RESPONSE_DONE, found;

        m.code = r->rsp->m.status;
        if (last && r->rsp->body.n == 0) {
                say(&m, "HTTP content check could not find a response body");
                say_comment(&m, s);
                return m;
        }
        if (!last && must_wait(e, r->rsp->body.n))
                return answer(MATCH_WAIT, CHECK_UNKNOWN);
        found = find(e, buf_view(&r->rsp->body), x) == FOUND_YES;
        if (!found && !last && e->min_recv < 0)
                return answer(MATCH_WAIT, CHECK_UNKNOWN);
        if (found != e->negate)
                return answer(MATCH_YES, CHECK_UNKNOWN);
        say(&m, e->negate ? "HTTP check matched unwanted content" : "HTTP content check did not match");
        say_comment(&m, s);
        return m;
}

static struct match match_http(const struct run *r, const struct step *s, const struct expr_ctx *x)
{
        const struct step_expect *e = &s->expect;
        struct match m;

        if (r->rsp->stage == RESPONSE_BAD)
                return answer(MATCH_NO, CHECK_L7RSP);
        if (!x->rsp)
                return answer(MATCH_WAIT, CHECK_UNKNOWN);
        if (r->script->disable_on_404 && x->rsp->status == 404) {
                m = answer(MATCH_NO, CHECK_L7OKC);
                m.code = 404;
                return m;
        }
        if (e->kind == EXPECT_BODY || e->kind == EXPECT_BODY_REGEX || e->kind == EXPECT_BODY_LF)
                return match_body(r, s, x);
        return head_meets(e, x) != e->negate ? answer(MATCH_YES, CHECK_UNKNOWN) : wrong_head(s, x->rsp);
}

/* ---- services ---- */

static struct match match_service(const struct run *r, const struct step *s)
{
        bool last = r->ended || r->full;
        struct svc_verdict v = s->expect.service(buf_view(&r->in), last);
        struct match m = answer(MATCH_YES, CHECK_L7OK);

        m.code = v.code;
        if (v.answer == SVC_MORE)
                return answer(MATCH_WAIT, CHECK_UNKNOWN);
        if (v.answer != SVC_OK)
                m = (struct match){ .answer = MATCH_NO,
                                    .status = v.answer == SVC_FAILED ? CHECK_L7STS : CHECK_L7RSP,
                                    .code = v.code };
        if (v.answer != SVC_OK && r->in.n == 0)
                say(&m, "TCPCHK got an empty response at step %u", s->number);
        else if (v.text.n)
                say_bytes(&m, v.text);
        return m;
}

struct match match_run(const struct run *r, const struct step *s, const struct expr_ctx *x)
{
        if (s->expect.kind == EXPECT_SERVICE)
                return match_service(r, s);
        return s->expect.kind >= EXPECT_STATUS ? match_http(r, s, x) : match_bytes(r, s, x);
}
