/* core/fixture.h - what tests of programs over streams need: a thread with a clock that stands still, a configuration from
 * text, one finished stream, heads from text. Included by one file of each test program. */
#ifndef CORE_FIXTURE_H
#define CORE_FIXTURE_H

#include "core/check.h"
#include "core/event.h"
#include "core/global.h"
#include "core/queue.h"
#include "core/sess.h"
#include "core/log.h"
#include "proto/h1.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the clock: Sat 2026-11-21 12:05:52.298123 UTC ---- */
#define FX_WALL_US INT64_C(1795262752298123)

static mono_t fx_mono_now = 1000 * (mono_t)NS_PER_S;
static struct sys_ops fx_sys;

static inline mono_t fx_mono(void)
{
        return fx_mono_now;
}

static inline int64_t fx_wall(void)
{
        return FX_WALL_US;
}

static inline void fx_thread(void)
{
        (void)setenv("TZ", "UTC", 1);
        fx_sys = sys_kernel;
        fx_sys.mono = fx_mono;
        fx_sys.wall_us = fx_wall;
        thr_self = thr_new(0, &fx_sys, 65536);
}

/* ---- a configuration ---- */

struct fx_conf {
        struct vfs *v;
        struct diags d;
        struct conf *c;
        struct buf text; /* diagnostics, classic */
};

static inline struct fx_conf *fx_load(const char *text)
{
        static const char *const files[] = { "t.cfg" };
        static const struct conf_opts opts = { .version = "3.4.0", .keep_spans = true };
        struct fx_conf *f = calloc(1, sizeof(*f));

        f->v = vfs_new_memory();
        diags_init(&f->d);
        vfs_add(f->v, VFS_CONFIG, "t.cfg", str_of(text));
        f->c = conf_load(f->v, files, 1, &opts, &f->d);
        diags_format(&f->d, DIAG_CLASSIC, DIAG_NOTICE, 7, &f->text);
        buf_putc(&f->text, '\0');
        return f;
}

static inline void fx_unload(struct fx_conf *f)
{
        if (f->c)
                conf_put(f->c);
        diags_fini(&f->d);
        vfs_free(f->v);
        buf_fini(&f->text);
        free(f);
}

static inline const struct logger *fx_logger(struct fx_conf *f, const char *name)
{
        struct diags d;
        const struct logger *l;

        diags_init(&d);
        l = log_driver->compile(f->c, name ? conf_find(f->c, KIND_PROXY, str_of(name)) : NULL, true, &d);
        diags_fini(&d);
        return l;
}

/* ---- one request that went well: GET /x?y=1 from 127.0.0.1:33376 over frontend f, backend b, server s1 ---- */

struct fx_stream {
        struct px_stat st[3];
        struct strm s;
        struct sess ss;
        struct sess_more more;
        struct front fe;
        struct back be;
        struct server srv;
        struct front_cfg fcfg;
        struct back_cfg bcfg;
        struct proxy_cfg px;
        char request[256];
};

static inline void fx_address(struct addr *a, const char *ip, int port)
{
        memset(a, 0, sizeof(*a));
        a->in.sin_family = AF_INET;
        (void)inet_pton(AF_INET, ip, &a->in.sin_addr);
        a->in.sin_port = htons((uint16_t)port);
}

/* ---- heads ---- */

struct fx_head {
        struct hmsg m;
        struct hfield f[64];
        char bytes[4096], arena[4096];
};

/* lines: "GET / HTTP/1.1\r\nhost: a\r\n\r\n". False: the parser refused it. */
static inline bool fx_head(struct fx_head *h, const char *lines, bool response)
{
        struct h1 p;
        size_t n = strlen(lines);

        hmsg_init(&h->m, h->f, 64, h->arena, sizeof(h->arena));
        memcpy(h->bytes, lines, n);
        h->m.blk[0].p = h->bytes;
        h->m.blk[0].n = h->m.blk[0].cap = (uint32_t)n;
        h1_init(&p, 0, 0);
        return (response ? h1_response(&p, &h->m, (uint32_t)n, HMETH_GET) : h1_request(&p, &h->m, (uint32_t)n)) ==
               H1_OK;
}

static inline void fx_request(struct fx_stream *f, const char *line)
{
        (void)snprintf(f->request, sizeof(f->request), "%s", line);
        f->s.log.request = f->request;
        f->s.log.request_len = (uint32_t)strlen(f->request);
}

static inline void fx_sess_init(struct fx_stream *f)
{
        fx_address(&f->ss.src, "127.0.0.1", 33376);
        fx_address(&f->more.dst, "127.0.0.1", 27001);
        f->more.has_dst = true;
        f->ss.more = &f->more;
        f->ss.front = &f->fe;
        f->s.sess = &f->ss;
        f->s.front = &f->fe;
        f->s.back = &f->be;
        f->s.srv = &f->srv;
        f->s.fcfg = &f->fcfg;
        f->s.bcfg = &f->bcfg;
        f->s.st_front = &f->st[0];
        f->s.st_back = &f->st[1];
        f->s.st_srv = &f->st[2];
}

static inline void fx_stream_init(struct fx_stream *f, const struct logger *l)
{
        mono_t t = thr_self->now;

        memset(f, 0, sizeof(*f));
        fx_sess_init(f);
        f->fe.cell.name = "f";
        f->be.cell.name = "b";
        f->srv.cell.name = "s1";
        f->srv.back = &f->be;
        f->fcfg.log = f->bcfg.log = l;
        f->fcfg.px = f->bcfg.px = &f->px;
        atomic_init(&f->be.cfg, &f->bcfg);
        atomic_init(&f->fe.cfg, &f->fcfg);
        atomic_init(&f->fe.cur, 1);
        fx_address(&f->srv.addr, "127.0.0.9", 27010);
        f->s.http = true;
        f->s.status = 200;
        f->s.term[0] = f->s.term[1] = '-';
        f->s.rsp_seen = true;
        f->s.cl.tx_bytes = f->s.sv.rx_bytes = 119;
        f->s.cl.rx_bytes = 79;
        f->s.id = 5;
        f->s.log.wall_us = f->s.log.req_wall_us = FX_WALL_US - 5000;
        f->s.t = (struct strm_times){ t - 5 * NS_PER_MS,
                                      t - 5 * NS_PER_MS,
                                      t - 5 * NS_PER_MS,
                                      t - 5 * NS_PER_MS,
                                      t - 4 * NS_PER_MS,
                                      t - 1 * NS_PER_MS,
                                      t };
        fx_request(f, "GET /x?y=1 HTTP/1.1");
}

#endif
