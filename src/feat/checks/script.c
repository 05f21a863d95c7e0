/* feat/checks/script.c - the lines of a section, and what they imply, become its script (manual: "http-check expect", "tcp-check
 * connect": which steps may be left out). */
#include "conf/conf.h"
#include "feat/checks/checks.h"

struct make {
        struct conf *c;
        const struct check_proxy_cfg *cfg;
        struct diags *d;
        const struct step_line **lines;
        uint32_t n_lines;
        struct script *s;
        struct step *steps; /* of s */
        bool failed;
};

static bool is_passive(enum step_kind k) /* may stand before the first connect */
{
        return k == STEP_COMMENT || k == STEP_SET_VAR || k == STEP_UNSET_VAR;
}

static void complain(struct make *m, const struct step_line *l, const char *keyword, const char *why)
{
        (void)diag_add(m->d, DIAG_ALERT, l->at, "E0512", "'%s %s' : %s", keyword, l->words.v[0].text, why);
        m->failed = true;
}

static struct step *append(struct make *m, const struct step *s)
{
        m->steps[m->s->n] = *s;
        return &m->steps[m->s->n++];
}

static void append_connect(struct make *m)
{
        (void)append(m, &(struct step){ .kind = STEP_CONNECT });
}

/* ---- the request ---- */

/* `option httpchk` and the first `http-check send` make one request: of what both say the later line wins, fields as a whole. */
static struct step_request merged(const struct step_request *first, const struct step_request *second)
{
        struct step_request r = *first;

        if (!r.method.n)
                r.method = second->method;
        if (!r.uri.n && !r.uri_fmt) {
                r.uri = second->uri;
                r.uri_fmt = second->uri_fmt;
        }
        if (!r.version.n)
                r.version = second->version;
        if (!r.n_fields) {
                r.fields = second->fields;
                r.n_fields = second->n_fields;
        }
        if (!r.has_body) {
                r.body = second->body;
                r.has_body = second->has_body;
        }
        return r;
}

static void append_request(struct make *m, const struct step *own)
{
        struct step s = own ? *own : (struct step){ .kind = STEP_REQUEST };

        if (m->cfg->request && m->cfg->request_last)
                s.request = merged(m->cfg->request, &s.request);
        else if (m->cfg->request)
                s.request = merged(&s.request, m->cfg->request);
        (void)append(m, &s);
}

static void append_default_expect(struct make *m)
{
        static const struct code_range good = { 200, 399 };

        (void)append(m, &(struct step){
                                .kind = STEP_EXPECT,
                                .expect = { .kind = EXPECT_STATUS, .min_recv = -1, .ranges = &good, .n_ranges = 1 } });
}

/* ---- from lines ---- */

static bool any(const struct make *m, enum step_kind k)
{
        for (uint32_t i = 0; i < m->n_lines; i++) {
                if (m->lines[i]->step.kind == k)
                        return true;
        }
        return false;
}

static const struct step_line *first_active(const struct make *m)
{
        for (uint32_t i = 0; i < m->n_lines; i++) {
                if (!is_passive(m->lines[i]->step.kind))
                        return m->lines[i];
        }
        return NULL;
}

static void check_first(struct make *m, const char *keyword)
{
        const struct step_line *first = first_active(m);

        if (!first || first->step.kind == STEP_CONNECT || !any(m, STEP_CONNECT))
                return;
        for (uint32_t i = 0; i < m->n_lines; i++) {
                if (m->lines[i]->step.kind == STEP_CONNECT) {
                        complain(
                                m, m->lines[i], keyword,
                                "first step MUST also be a 'connect', optionally preceded by a 'set-var', an 'unset-var' "
                                "or a 'comment', when there is a 'connect' step in the ruleset.");
                        return;
                }
        }
}

static struct step numbered(const struct make *m, uint32_t i)
{
        struct step s = m->lines[i]->step;

        s.number = i + 1;
        if (!s.comment && i > 0 && m->lines[i - 1]->step.kind == STEP_COMMENT)
                s.comment = m->lines[i - 1]->step.comment;
        return s;
}

static void make_tcp(struct make *m)
{
        check_first(m, "tcp-check");
        if (!any(m, STEP_CONNECT))
                append_connect(m);
        for (uint32_t i = 0; i < m->n_lines; i++) {
                struct step s = numbered(m, i);
                (void)append(m, &s);
        }
}

/* One request per connection, and expects behind it: the answer to a second one could not be told from the first. */
static void make_http(struct make *m)
{
        bool own_send = any(m, STEP_REQUEST), sent = false, expects = false, first = true;

        check_first(m, "http-check");
        if (!any(m, STEP_CONNECT)) {
                append_connect(m);
                if (!own_send) {
                        append_request(m, NULL);
                        sent = true;
                }
        }
        for (uint32_t i = 0; i < m->n_lines; i++) {
                struct step s = numbered(m, i);

                if (s.kind == STEP_REQUEST && sent)
                        complain(m, m->lines[i], "http-check",
                                 "unable to add this send rule: missing connect rule before it.");
                if (s.kind == STEP_EXPECT && !sent)
                        complain(m, m->lines[i], "http-check",
                                 "unable to add this expect rule: missing send rule before it.");
                if (s.kind == STEP_REQUEST && first)
                        append_request(m, &s);
                else
                        (void)append(m, &s);
                first = first && s.kind != STEP_REQUEST;
                if (s.kind == STEP_CONNECT || s.kind == STEP_REQUEST) {
                        sent = s.kind == STEP_REQUEST;
                        expects = false;
                }
                expects = expects || s.kind == STEP_EXPECT;
                if (s.kind == STEP_CONNECT && !own_send && !sent) { /* connect alone: the option's request follows */
                        append_request(m, NULL);
                        sent = true;
                }
        }
        if (sent && !expects)
                append_default_expect(m);
}

static uint32_t collect(struct make *m, const struct step_line *last)
{
        uint32_t n = 0;

        for (const struct step_line *l = last; l; l = l->prev)
                n++;
        m->lines = conf_alloc(m->c, (n + 1) * sizeof(const struct step_line *));
        m->n_lines = n;
        for (const struct step_line *l = last; l; l = l->prev)
                m->lines[--n] = l;
        return m->n_lines;
}

bool rules_give_port(const struct check_proxy_cfg *cfg)
{
        const struct step_line *last = cfg->kind == SCRIPT_TCP    ? cfg->tcp.last
                                       : cfg->kind == SCRIPT_HTTP ? cfg->http.last
                                                                  : NULL;
        bool some = false;

        for (const struct step_line *l = last; l; l = l->prev) {
                const struct step_connect *s = &l->step.connect;

                if (l->step.kind != STEP_CONNECT)
                        continue;
                if (!s->port && !s->port_expr && !(s->addr && addr_port(s->addr)))
                        return false;
                some = true;
        }
        return some;
}

/* Of the words it was made of: equal in two loads of equal lines. FNV-1a; nobody chooses these bytes to collide. */
static void hash_text(uint64_t *h, const char *s)
{
        for (; *s; s++)
                *h = (*h ^ (unsigned char)*s) * UINT64_C(1099511628211);
        *h = (*h ^ 0xff) * UINT64_C(1099511628211);
}

static uint64_t hash_of(const struct check_proxy_cfg *cfg, const struct make *m)
{
        uint64_t h = UINT64_C(14695981039346656037) + (uint64_t)cfg->kind;

        for (uint32_t i = 0; i < m->n_lines; i++) {
                for (size_t k = 0; k < m->lines[i]->words.n; k++)
                        hash_text(&h, m->lines[i]->words.v[k].text);
        }
        for (size_t k = 0; cfg->request_words && k < cfg->request_words->n; k++)
                hash_text(&h, cfg->request_words->v[k].text);
        hash_text(&h, cfg->user ? cfg->user : "");
        hash_text(&h, cfg->hello ? cfg->hello : "");
        hash_text(&h, cfg->send_state ? "s" : "");
        hash_text(&h, cfg->disable_on_404 ? "d" : "");
        return h + (uint64_t)cfg->mysql;
}

const struct script *script_make(struct conf *c, const struct conf_obj *o, const struct check_proxy_cfg *cfg,
                                 struct diags *d)
{
        struct make m = { .c = c, .cfg = cfg, .d = d };
        uint32_t n;

        (void)o;
        if (cfg->kind == SCRIPT_PLAIN)
                return NULL;
        n = collect(&m, cfg->kind == SCRIPT_TCP ? cfg->tcp.last : cfg->kind == SCRIPT_HTTP ? cfg->http.last : NULL);
        if (cfg->kind > SCRIPT_HTTP)
                n += service_steps(c, cfg, NULL);
        m.s = conf_alloc(c, sizeof(*m.s));
        m.s->step = m.steps = conf_alloc(c, (2 * (size_t)n + 3) * sizeof(struct step));
        m.s->kind = (enum check_kind)cfg->kind;
        m.s->send_state = cfg->send_state;
        m.s->disable_on_404 = cfg->disable_on_404;
        m.s->by_lines = first_active(&m) != NULL;
        m.s->hash = hash_of(cfg, &m);
        if (cfg->kind == SCRIPT_TCP)
                make_tcp(&m);
        else if (cfg->kind == SCRIPT_HTTP)
                make_http(&m);
        else
                m.s->n = service_steps(c, cfg, m.steps);
        return m.failed ? NULL : m.s;
}
