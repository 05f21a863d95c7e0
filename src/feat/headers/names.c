/* feat/headers/names.c - option http-restrict-req-hdr-names: fields whose names other programs mix up ("X_Forwarded-For") are removed, or
 * make the request a forbidden one. Each proxy after its own rules (manual 4.2).  Threads: any. */
#include "conf/conf.h"
#include "core/kinds.h"
#include "core/strm_priv.h"
#include "core/hook.h"

static const void *applies(struct conf *c, const struct conf_obj *proxy, bool as_front)
{
        const struct proxy_cfg *px = conf_slot(proxy, proxy_slot);

        (void)c;
        if (px->mode != PX_HTTP || px->header_names == HEADERS_PRESERVE ||
            (!as_front && proxy->kind->bit == KIND_LISTEN))
                return NULL;
        return px;
}

static bool is_plain(struct str name)
{
        for (size_t i = 0; i < name.n; i++) {
                unsigned char l = chr_lower((unsigned char)name.p[i]);

                if (!(l >= 'a' && l <= 'z') && !chr_is_digit(name.p[i]) && l != '-')
                        return false;
        }
        return true;
}

static enum hook_answer run(struct strm *s, const void *arg, bool as_front)
{
        const struct proxy_cfg *px = arg;

        for (int i = s->req ? hmsg_next(s->req, 0) : -1; i >= 0; i = hmsg_next(s->req, i + 1)) {
                if (likely(is_plain(hmsg_name(s->req, i))))
                        continue;
                if (px->header_names == HEADERS_REJECT) {
                        struct px_stat *st = as_front ? strm_front_stat(s) : strm_back_stat(s);

                        STAT_INC(st->denied_req);
                        strm_term(s, 'P', 'R');
                        strm_answer(s, 403);
                        return HOOK_TAKEN;
                }
                hmsg_del(s->req, i);
        }
        return HOOK_NEXT;
}

static const struct hook hook = {
        .name = "header names", .rank = 50, .point = HOOK_REQUEST, .applies = applies, .run = run
};
HOOK(hook);
