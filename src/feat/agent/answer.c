/* feat/agent/answer.c - what an agent says. Words are separated by blanks, tabs or commas; after '#' comes a text for people. */
#include "feat/agent/agent.h"

#include <stdio.h>

ssize_t agent_line_end(struct str bytes)
{
        for (size_t i = 0; i < bytes.n; i++)
                if (bytes.p[i] == '\r' || bytes.p[i] == '\n')
                        return (ssize_t)i;
        return -1;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == ',';
}

static struct str next_word(struct str *line)
{
        size_t from = 0, to;

        while (from < line->n && is_blank(line->p[from]))
                from++;
        for (to = from; to < line->n && !is_blank(line->p[to]) && line->p[to] != '#'; to++)
                ;
        if (to == from && to < line->n) /* a text for people: all the rest */
                to = line->n;
        struct str w = str_sub(*line, from, to - from);

        *line = str_sub(*line, to, line->n - to);
        return w;
}

/* Shown in CSV, on the page and in log lines: printable ASCII only. */
static void show(char *to, size_t room, struct str s)
{
        size_t n = s.n < room - 1 ? s.n : room - 1;

        for (size_t i = 0; i < n; i++)
                to[i] = s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?';
        to[n] = 0;
}

static bool after(struct str w, const char *prefix, struct str *ret_rest)
{
        size_t n = strlen(prefix);

        if (w.n < n || !str_ieq(str_sub(w, 0, n), str_of(prefix)))
                return false;
        *ret_rest = str_sub(w, n, w.n - n);
        return true;
}

/* "75%" or, when `absolute` ones may stand there, "20". NULL, or what is wrong with it. */
static const char *read_weight(struct str w, bool absolute, struct agent_answer *a)
{
        bool pct = w.n && w.p[w.n - 1] == '%';
        uint64_t v;

        if (!str_to_u64(str_sub(w, 0, w.n - pct), &v))
                return "Empty weight string empty or preceded by garbage";
        if (!pct && (!absolute || v > SRV_WEIGHT_MAX))
                return "Absolute weight can only be between 0 and 256 inclusive.";
        if (pct) {
                a->weight_pct = v > 100000 ? 100000 : (int)v;
                a->weight = -1;
        } else {
                a->weight = (int)v;
                a->weight_pct = -1;
        }
        return NULL;
}

static const char *read_maxconn(struct str w, struct agent_answer *a)
{
        uint64_t v;

        if (!str_to_u64(w, &v) || v > INT32_MAX)
                return "maxconn string empty or preceded by garbage";
        a->maxconn = (int64_t)v;
        return NULL;
}

static const struct {
        const char *word;
        enum check_status status;
        enum agent_admin admin;
} words[] = {
        { "up", CHECK_L7OK, AGENT_ADM_NONE },        { "down", CHECK_L7STS, AGENT_ADM_NONE },
        { "fail", CHECK_L7STS, AGENT_ADM_NONE },     { "failed", CHECK_L7STS, AGENT_ADM_NONE },
        { "stopped", CHECK_L7STS, AGENT_ADM_NONE },  { "ready", CHECK_NEUTRAL, AGENT_ADM_READY },
        { "drain", CHECK_NEUTRAL, AGENT_ADM_DRAIN }, { "maint", CHECK_NEUTRAL, AGENT_ADM_MAINT },
};

struct reading {
        struct agent_answer *a;
        struct str said, text; /* the word that set the status; what stood after '#' */
        const char *wrong;     /* first complaint */
        struct str unknown;    /* first word that is none */
};

static bool take_known(struct reading *r, struct str w)
{
        for (size_t i = 0; i < array_len(words); i++) {
                if (!str_ieq(w, str_of(words[i].word)))
                        continue;
                if (words[i].status != CHECK_NEUTRAL) {
                        r->a->status = words[i].status;
                        r->said = w;
                }
                if (words[i].admin != AGENT_ADM_NONE)
                        r->a->admin = words[i].admin;
                return true;
        }
        return false;
}

static void take(struct reading *r, struct str w)
{
        const char *wrong = NULL;
        struct str rest;

        if (w.p[0] == '#')
                r->text = str_sub(w, 1, w.n - 1);
        else if (after(w, "weight:", &rest))
                wrong = read_weight(rest, true, r->a);
        else if (after(w, "maxconn:", &rest))
                wrong = read_maxconn(rest, r->a);
        else if (chr_is_digit(w.p[0]) && w.p[w.n - 1] == '%')
                wrong = read_weight(w, false, r->a);
        else if (!take_known(r, w) && r->unknown.n == 0)
                r->unknown = w;
        if (wrong && !r->wrong)
                r->wrong = wrong;
}

static void describe(const struct reading *r)
{
        char *to = r->a->info, word[40], text[70];
        size_t room = sizeof(r->a->info);

        show(word, sizeof(word), r->a->status != CHECK_NEUTRAL ? r->said : r->unknown);
        show(text, sizeof(text), r->text);
        if (r->a->status != CHECK_NEUTRAL)
                (void)snprintf(to, room, "via agent : %s%s%s%s", word, *text ? " (" : "", text, *text ? ")" : "");
        else if (r->unknown.n)
                (void)snprintf(to, room, "agent reports an error : %s", word);
        else if (r->wrong)
                (void)snprintf(to, room, "agent warns : %s", r->wrong);
        else
                (void)snprintf(to, room, "%s", text);
}

void agent_parse(struct str line, struct agent_answer *ret_a)
{
        struct reading r = { .a = ret_a };
        struct str w;

        *ret_a = (struct agent_answer){ .status = CHECK_NEUTRAL, .weight = -1, .weight_pct = -1, .maxconn = -1 };
        while ((w = next_word(&line)).n)
                take(&r, w);
        describe(&r);
}

/* ---- obeying ---- */

static void obey_weight(struct server *s, const struct agent_answer *a)
{
        uint64_t w = a->weight_pct >= 0 ? (uint64_t)s->iweight * (unsigned)a->weight_pct / 100 : (uint64_t)a->weight;

        if (a->weight_pct >= 0 || a->weight >= 0)
                server_set_weight(s, w > SRV_WEIGHT_MAX ? SRV_WEIGHT_MAX : (uint32_t)w);
}

void agent_obey(struct check *c, const struct agent_answer *a)
{
        static const struct state_cause by_agent = { .duration_ms = -1 };
        struct server *s = c->srv;

        obey_weight(s, a);
        if (a->maxconn >= 0)
                server_set_maxconn(s, (uint32_t)a->maxconn);
        switch (a->admin) {
        case AGENT_ADM_NONE: break;
        case AGENT_ADM_READY:
                server_set_admin(s, 0, SRV_ADM_FMAINT | SRV_ADM_CMAINT | SRV_ADM_FDRAIN, &by_agent);
                break;
        case AGENT_ADM_DRAIN: server_set_admin(s, SRV_ADM_FDRAIN, SRV_ADM_FMAINT | SRV_ADM_CMAINT, &by_agent); break;
        case AGENT_ADM_MAINT: server_set_admin(s, SRV_ADM_FMAINT, SRV_ADM_FDRAIN, &by_agent); break;
        }
}
