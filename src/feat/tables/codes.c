/* feat/tables/codes.c - `http-err-codes` and `http-fail-codes` (manual 3.1): which statuses of servers stick tables count as errors of
 * clients and as failures. */
#include "core/event.h"
#include "core/track.h"
#include "feat/tables/tables.h"

#include <stdio.h>

struct codes_cfg { /* slot "track_codes" */
        struct track_codes codes;
};
static const struct codes_cfg plain = { TRACK_CODES_DEFAULT };

static bool parse_range(struct str s, unsigned *ret_from, unsigned *ret_to)
{
        const char *dash = s.n ? memchr(s.p, '-', s.n) : NULL;
        struct str from = { s.p, dash ? (size_t)(dash - s.p) : s.n };
        uint64_t a, b;

        if (!str_to_u64(from, &a))
                return false;
        b = a;
        if (dash && !str_to_u64(str_sub(s, from.n + 1, s.n - from.n - 1), &b))
                return false;
        *ret_from = (unsigned)a;
        *ret_to = (unsigned)b;
        return a >= 100 && b <= 599 && a <= b;
}

/* "400-499,410": sets or clears their bits. */
static bool take_ranges(struct str list, bool on, uint64_t bits[8])
{
        while (list.n) {
                const char *comma = memchr(list.p, ',', list.n);
                struct str one = { list.p, comma ? (size_t)(comma - list.p) : list.n };
                unsigned from, to;

                if (!parse_range(one, &from, &to))
                        return false;
                for (unsigned i = from - 100; i <= to - 100; i++) {
                        uint64_t bit = (uint64_t)1 << (i % 64);

                        bits[i / 64] = on ? bits[i / 64] | bit : bits[i / 64] & ~bit;
                }
                list = str_sub(list, one.n + (comma != NULL), list.n - one.n - (comma != NULL));
        }
        return true;
}

static uint64_t *bits_of(struct codes_cfg *cfg, const struct kw *kw)
{
        return strcmp(kw->name, "http-err-codes") == 0 ? cfg->codes.err : cfg->codes.fail;
}

static int codes_parse(struct kw_call *c)
{
        uint64_t *bits = bits_of(c->slot, c->kw);

        if (!kw_need_args(c, 1, "[+-]<range>[,...]"))
                return -1;
        for (size_t i = 0; i < c->n_args; i++) {
                struct str w = c->args[i].text;
                bool has_sign = w.n && (w.p[0] == '+' || w.p[0] == '-'), on = !w.n || w.p[0] != '-';

                if (!has_sign)
                        memset(bits, 0, 8 * sizeof(*bits));
                if (w.n > has_sign && take_ranges(str_sub(w, has_sign, w.n - has_sign), on, bits))
                        continue;
                (void)kw_fail(c, &c->args[i], "E0799",
                              "'%s' : invalid status codes range '%.*s': codes are from 100 to 599.", c->kw->name,
                              (int)w.n, w.p);
                return -1;
        }
        return (int)c->n_args;
}

static bool is_on(const uint64_t bits[8], unsigned code)
{
        return code <= 599 && (bits[(code - 100) / 64] >> ((code - 100) % 64) & 1);
}

/* The set as ranges; an empty one takes a code in and out again. */
static void put_ranges(const uint64_t bits[8], struct buf *out)
{
        const char *sep = " ";

        for (unsigned from = 100; from <= 599; from++) {
                unsigned to = from;

                if (!is_on(bits, from))
                        continue;
                while (is_on(bits, to + 1))
                        to++;
                buf_printf(out, from == to ? "%s%u" : "%s%u-%u", sep, from, to);
                from = to;
                sep = ",";
        }
        if (*sep == ' ')
                buf_puts(out, " 100 -100");
}

static void codes_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        struct codes_cfg cfg = *(const struct codes_cfg *)slot, usual = plain;
        const uint64_t *bits = bits_of(&cfg, kw);

        if (memcmp(bits, bits_of(&usual, kw), sizeof(cfg.codes.err)) == 0)
                return;
        buf_printf(out, "    %s", kw->name);
        put_ranges(bits, out);
        buf_putc(out, '\n');
}

#define CODES(n, h)                                                                                                    \
        KW_FN(n, codes_parse, codes_dump, .manual = "3.1", .apply = KW_LIVE, .args = "[+-]<range>[,...] [...]",        \
              .sample = "400-499 -450,404 +500", .help = h)
static const struct kw rows[] = {
        CODES("http-err-codes",
              "Statuses of servers that stick tables count as errors of the client: 400-499 but for these changes."),
        CODES("http-fail-codes",
              "Statuses of servers that stick tables count as failures: 500-599 without 501 and 505 but for these changes."),
};
KW_TABLE(track_codes, KIND_GLOBAL, struct codes_cfg, rows, .defaults = &plain);

static void on_applied(const void *event)
{
        const struct conf *c = event;
        const struct conf_obj *o = c ? c->first : NULL;

        while (o && o->kind->bit != KIND_GLOBAL)
                o = o->next;
        if (c)
                track_codes_set(o ? &((const struct codes_cfg *)conf_slot(o, track_codes_slot))->codes : &plain.codes);
}

static const struct event_sub applied = { .type = EVENT_APPLIED, .rank = 40, .name = "track_codes", .fn = on_applied };
EVENT_SUB(applied);
