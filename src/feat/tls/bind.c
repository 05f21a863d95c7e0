/* feat/tls/bind.c - `ssl`, `crt` and `alpn` of a bind line (manual 5.1): TLS under whatever the frontend speaks.
 *
 * The context is made when the file is checked, so -c finds a wrong certificate and a reload fails before anything
 * changes. It belongs to the configuration; connections hold it beyond that. */
#include "core/front.h"
#include "core/kinds.h"
#include "core/proxy.h"
#include "tls/tls.h"

#define ALPN_NAMES_MAX 8

struct tls_bind { /* slot "tls_bind" */
        bool ssl;
        const char *crt;
        const char *alpn; /* as written; NULL = what the frontend's mode speaks */
        struct tls_ctx *ctx;
};
extern int tls_bind_slot;

static const struct kw rows[] = {
        KW_FLAG("ssl", struct tls_bind, ssl, .apply = KW_NEW, .manual = "5.1",
                .help = "connections are encrypted with TLS"),
        KW_STR("crt", struct tls_bind, crt, .apply = KW_NEW, .min = 1, .manual = "5.1", .args = "<file>",
               .help = "PEM file with certificate, chain and private key"),
        KW_STR("alpn", struct tls_bind, alpn, .apply = KW_NEW, .min = 1, .manual = "5.1", .args = "<names>",
               .help = "protocols offered during the handshake, comma-separated, best first"),
};

/* Names separated by commas; false: one is empty, or they are too many. */
static bool split_names(struct conf *c, const char *list, const char *ret_names[ALPN_NAMES_MAX + 1])
{
        size_t n = 0, len;

        for (;; list += len + 1) {
                len = strcspn(list, ",");
                if (len == 0 || n == ALPN_NAMES_MAX)
                        return false;
                ret_names[n++] = conf_intern(c, (struct str){ list, len });
                ret_names[n] = NULL;
                if (list[len] == '\0')
                        return true;
        }
}

/* Manual 5.1, alpn: with mode http the protocols that are built in, HTTP/1.1 last; otherwise none. */
static void default_names(const struct conf_obj *bind, const char *ret_names[ALPN_NAMES_MAX + 1])
{
        const struct proxy_cfg *px = conf_slot(bind->parent, proxy_slot);
        size_t n = 0;

        if (px && px->mode == PX_HTTP) {
                for (const struct front_proto *p = front_proto_next(NULL); p && n < ALPN_NAMES_MAX - 1;
                     p = front_proto_next(p))
                        ret_names[n++] = p->name;
                ret_names[n++] = "http/1.1";
        }
        ret_names[n] = NULL;
}

static void put_ctx(void *ctx)
{
        tls_ctx_put(ctx);
}

static void make_ctx(struct conf *c, struct conf_obj *o, struct tls_bind *b, struct diags *d)
{
        const char *names[ALPN_NAMES_MAX + 1], *why = NULL;
        struct tls_spec spec = { .alpn = names };
        int r = conf_read_file(c, VFS_CERT, b->crt, &spec.pem);

        if (r < 0) {
                diag_add(d, DIAG_ALERT, o->at, "E0902", "'bind %s' : unable to read the certificate '%s': %s.", o->name,
                         b->crt, strerror(-r));
                return;
        }
        default_names(o, names);
        if (b->alpn && !split_names(c, b->alpn, names)) {
                diag_add(d, DIAG_ALERT, o->at, "E0903", "'bind %s' : 'alpn' : bad list of names '%s'.", o->name,
                         b->alpn);
                return;
        }
        if (tls_ctx_new(&spec, &b->ctx, &why) < 0)
                diag_add(d, DIAG_ALERT, o->at, "E0904", "'bind %s' : certificate '%s': %s.", o->name, b->crt, why);
        else
                conf_at_free(c, put_ctx, b->ctx);
}

static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        struct tls_bind *b = slot;

        if (b->ssl && !b->crt)
                diag_add(d, DIAG_ALERT, o->at, "E0901", "'bind %s' : no SSL certificate specified (use 'crt').",
                         o->name);
        else if (b->ssl)
                make_ctx(c, o, b, d);
        else if (b->crt || b->alpn)
                diag_add(d, DIAG_WARNING, o->at, "W0905", "'bind %s' : '%s' has no effect without 'ssl'.", o->name,
                         b->crt ? "crt" : "alpn");
}

KW_TABLE(tls_bind, KIND_BIND, struct tls_bind, rows, .check = check);

/* ---- the layer ---- */

static const void *applies(struct conf *c, const struct conf_obj *bind)
{
        const struct tls_bind *b = conf_slot(bind, tls_bind_slot);

        (void)c;
        return b ? b->ctx : NULL;
}

static int open_filter(const void *arg, struct ep **ep)
{
        return tls_open((struct tls_ctx *)(uintptr_t)arg, *ep, NULL, ep);
}

static const struct front_layer tls_layer = {
        .name = "tls", .applies = applies, .open = open_filter, .agreed = tls_alpn
};
FRONT_LAYER(tls_layer);
