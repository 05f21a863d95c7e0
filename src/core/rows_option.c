/* core/rows_option.c - options with arguments, or that exclude each other. */
#include "core/rows_int.h"

#include "net/addr_net.h"

static void set_bit(struct kw_call *c, unsigned bit)
{
        struct proxy_cfg *p = c->slot;

        p->options = c->no ? p->options & ~bit : p->options | bit;
}

/* ---- httplog, tcplog: of two in one section the later one counts ---- */
int opt_log_parse(struct kw_call *c)
{
        struct proxy_cfg *p = c->slot;
        const char *opt = c->kw->name + strlen("option ");
        unsigned bit = opt[0] == 'h' ? OPT_HTTPLOG : OPT_TCPLOG;

        unsigned form = c->n_args == 0                    ? 0
                        : str_is(c->args[0].text, "clf")  ? OPT_LOG_CLF
                        : str_is(c->args[0].text, "json") ? OPT_LOG_JSON
                                                          : 0;

        if (c->n_args > 0 && !form) {
                kw_fail(c, &c->args[0], "E0225", "keyword '%s' only supports option 'clf'.", opt);
                return -1;
        }
        if (!c->no)
                p->options &= ~(unsigned)(OPT_HTTPLOG | OPT_TCPLOG | OPT_LOG_CLF | OPT_LOG_JSON);
        set_bit(c, bit | form);
        return c->n_args > 0;
}

int opt_log_elsewhere_parse(struct kw_call *c)
{
        kw_warn(c, NULL, "W0226", "backend '%s' : '%s' directive is ignored in backends.", c->obj->name, c->kw->name);
        return c->n_args > 0 && (str_is(c->args[0].text, "clf") || str_is(c->args[0].text, "json"));
}

void opt_log_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        unsigned bit = kw->name[strlen("option ")] == 'h' ? OPT_HTTPLOG : OPT_TCPLOG;

        unsigned o = ((const struct proxy_cfg *)slot)->options;

        if (o & bit)
                buf_printf(out, "    %s%s\n", kw->name, o & OPT_LOG_CLF ? " clf" : o & OPT_LOG_JSON ? " json" : "");
}

/* ---- forwardfor, originalto ---- */

static bool is_original(const struct kw *kw)
{
        return kw->name[strlen("option ")] == 'o';
}

static struct px_forward *forward_of(const struct kw *kw, struct proxy_cfg *p)
{
        return is_original(kw) ? &p->originalto : &p->forwardfor;
}

static bool take_net(struct kw_call *c, struct px_forward *f, struct str s)
{
        struct addr_net net = { .bits = 0 }, *own;

        if (!addr_net_parse(s, &net))
                return false;
        own = conf_alloc(c->conf, sizeof(*own));
        *own = net;
        f->net = own;
        f->except = conf_intern(c->conf, s);
        return true;
}

/* One of the words; how many arguments it took, or -1. */
static int forward_word(struct kw_call *c, size_t i)
{
        struct px_forward *f = forward_of(c->kw, c->slot);
        const struct word *w = &c->args[i], *arg = i + 1 < c->n_args ? w + 1 : NULL;

        if (str_is(w->text, "if-none") && !is_original(c->kw)) {
                f->if_none = true;
                return 1;
        }
        if (str_is(w->text, "header")) {
                if (arg) {
                        f->header = conf_intern(c->conf, arg->text);
                        return 2;
                }
                kw_fail(c, w, "E0227", "'%s header' expects <header_name> as argument.", c->kw->name);
                return -1;
        }
        if (str_is(w->text, "except")) {
                if (arg && take_net(c, f, arg->text))
                        return 2;
                kw_fail(c, arg ? arg : w, "E0227", "'%s except' expects <address>[/mask] as argument.", c->kw->name);
                return -1;
        }
        kw_fail(c, w, "E0227", "'%s' only supports optional values: %s.", c->kw->name,
                is_original(c->kw) ? "'except' and 'header'" : "'except', 'header' and 'if-none'");
        return -1;
}

int opt_forward_parse(struct kw_call *c)
{
        struct proxy_cfg *p = c->slot;
        int n;

        memset(forward_of(c->kw, p), 0, sizeof(p->forwardfor));
        set_bit(c, is_original(c->kw) ? OPT_ORIGINALTO : OPT_FORWARDFOR);
        if (c->no)
                return 0;
        for (size_t i = 0; i < c->n_args; i += (size_t)n) {
                n = forward_word(c, i);
                if (n < 0)
                        return -1;
        }
        return (int)c->n_args;
}

void opt_forward_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct proxy_cfg *p = slot;
        const struct px_forward *f = is_original(kw) ? &p->originalto : &p->forwardfor;

        if (!(p->options & (is_original(kw) ? OPT_ORIGINALTO : OPT_FORWARDFOR)))
                return;
        buf_printf(out, "    %s", kw->name);
        if (f->except)
                buf_printf(out, " except %s", f->except);
        if (f->header) {
                buf_puts(out, " header ");
                kw_quote(out, f->header);
        }
        buf_puts(out, f->if_none ? " if-none\n" : "\n");
}

/* ---- abortonclose: on by itself in HTTP backends, so "no" has to be kept ---- */
int opt_abortonclose_parse(struct kw_call *c)
{
        struct proxy_cfg *p = c->slot;

        p->options &= ~(unsigned)(OPT_ABORTONCLOSE | OPT_NO_ABORTONCLOSE);
        p->options |= c->no ? OPT_NO_ABORTONCLOSE : OPT_ABORTONCLOSE;
        return 0;
}

void opt_abortonclose_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        unsigned o = ((const struct proxy_cfg *)slot)->options;

        if (o & (OPT_ABORTONCLOSE | OPT_NO_ABORTONCLOSE))
                buf_printf(out, "    %s%s\n", o & OPT_ABORTONCLOSE ? "" : "no ", kw->name);
}

/* ---- redispatch ---- */
int opt_redispatch_parse(struct kw_call *c)
{
        struct proxy_cfg *p = c->slot;
        int64_t v = -1; /* on the last retry */

        set_bit(c, OPT_REDISPATCH);
        p->redispatch_after = 0;
        if (c->no || c->n_args == 0)
                return 0;
        if (!kw_arg_int(c, &c->args[0], -255, 255, &v))
                return -1;
        if (v == 0)
                p->options &= ~(unsigned)OPT_REDISPATCH;
        p->redispatch_after = v == -1 ? 0 : (int)v;
        return 1;
}

void opt_redispatch_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct proxy_cfg *p = slot;

        if (!(p->options & OPT_REDISPATCH))
                return;
        buf_printf(out, "    %s", kw->name);
        if (p->redispatch_after)
                buf_printf(out, " %d", p->redispatch_after);
        buf_putc(out, '\n');
}

/* ---- tcpka: both halves, as far as the section has them ---- */
int opt_tcpka_parse(struct kw_call *c)
{
        if (c->obj->kind->bit != KIND_BACKEND)
                set_bit(c, OPT_CLITCPKA);
        if (c->obj->kind->bit != KIND_FRONTEND)
                set_bit(c, OPT_SRVTCPKA);
        return 0;
}

/* ---- the three connection modes: the last one said counts ---- */
static unsigned connection_bit(const struct kw *kw)
{
        const char *opt = kw->name + strlen("option ");

        if (strcmp(opt, "http-keep-alive") == 0)
                return OPT_KEEP_ALIVE;
        return strcmp(opt, "httpclose") == 0 ? OPT_HTTPCLOSE : OPT_SERVER_CLOSE;
}

int opt_connection_parse(struct kw_call *c)
{
        if (!c->no)
                ((struct proxy_cfg *)c->slot)->options &=
                        ~(unsigned)(OPT_KEEP_ALIVE | OPT_HTTPCLOSE | OPT_SERVER_CLOSE);
        set_bit(c, connection_bit(c->kw));
        return 0;
}

void opt_connection_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct proxy_cfg *)slot)->options & connection_bit(kw))
                buf_printf(out, "    %s\n", kw->name);
}
