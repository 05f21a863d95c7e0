/* feat/cli/errors.c - the last invalid request of each frontend and the last invalid answer of each backend, for `show errors`.
 *
 * Bounds: BAD_MAX captures of at most BAD_BYTES each; the oldest goes. Captured on the streams' threads, shown on the CLI's, under one
 * lock: bad messages are rare, and one who sends many only replaces his own. */
#include "base/list.h"
#include "core/event.h"
#include "core/logdate.h"
#include "core/sess.h"
#include "core/strm.h"
#include "feat/cli/cli.h"

#include <pthread.h>
#include <stdlib.h>

#define BAD_MAX   128u
#define BAD_BYTES 16384u
#define WIDTH     70u /* of the bytes' columns, so that a line has 79 */

struct capture {
        struct list link; /* newest first */
        uint64_t event;   /* number since the start */
        int64_t wall_us;
        bool response;
        int front_iid, back_iid, server_id; /* -1: none */
        char front[128], back[128], server[128];
        struct addr src;
        const char *why;
        uint32_t at, len, kept;
        char bytes[];
};

static struct {
        pthread_mutex_t lock;
        struct list all;
        unsigned n;
        uint64_t events;
} bad = { PTHREAD_MUTEX_INITIALIZER, { &bad.all, &bad.all }, 0, 0 };

/* ---- capturing ---- */
static void copy_name(char *to, const char *name)
{
        size_t n = strnlen(name, sizeof(((struct capture *)0)->front) - 1);

        memcpy(to, name, n);
        to[n] = 0;
}

static int owner(const struct capture *c)
{
        return c->response ? c->back_iid : c->front_iid;
}

/* The capture that makes way for this one: the last of the same proxy and direction, or the oldest of all when there are too many. */
static struct capture *replaced(const struct capture *c)
{
        list_for_each (i, &bad.all) {
                struct capture *old = list_item(i, struct capture, link);
                if (old->response == c->response && owner(old) == owner(c))
                        return old;
        }
        return bad.n == BAD_MAX ? list_item(bad.all.prev, struct capture, link) : NULL;
}

static struct capture *make(const struct event_bad *e)
{
        const struct strm *s = e->strm;
        uint32_t kept = e->bytes.n < BAD_BYTES ? (uint32_t)e->bytes.n : BAD_BYTES;
        struct capture *c = calloc(1, sizeof(*c) + kept);

        if (!c)
                return NULL;
        c->wall_us = thr_self->sys->wall_us();
        c->response = e->response;
        c->front_iid = s->front->iid;
        c->back_iid = s->back && s->bcfg ? s->back->iid : -1;
        c->server_id = s->srv ? s->srv->puid : -1;
        copy_name(c->front, s->front->cell.name);
        copy_name(c->back, c->back_iid < 0 ? "<NONE>" : s->back->cell.name);
        copy_name(c->server, s->srv ? s->srv->cell.name : "<NONE>");
        c->src = s->sess->src;
        c->why = e->why;
        c->at = e->at;
        c->len = (uint32_t)e->bytes.n;
        c->kept = kept;
        if (kept)
                memcpy(c->bytes, e->bytes.p, kept);
        return c;
}

static void on_bad(const void *event)
{
        const struct event_bad *e = event;
        struct capture *c = e->strm->sess ? make(e) : NULL, *old;

        if (!c)
                return;
        pthread_mutex_lock(&bad.lock);
        c->event = bad.events++;
        old = replaced(c);
        list_push_front(&bad.all, &c->link);
        bad.n++;
        if (old) {
                list_del(&old->link);
                bad.n--;
        }
        pthread_mutex_unlock(&bad.lock);
        free(old);
}

static const struct event_sub capture_sub = { .type = EVENT_BAD_MESSAGE, .rank = 50, .name = "errors", .fn = on_bad };
EVENT_SUB(capture_sub);

/* ---- showing ---- */

/* One byte as the manual's "show errors" writes it; returns the columns it takes. */
static unsigned put_byte(char *to, unsigned char c)
{
        static const char hex[] = "0123456789ABCDEF", plain[] = "\t\n\r\033\\", letter[] = "tnre\\";
        const char *at = c ? strchr(plain, c) : NULL;

        to[0] = '\\';
        if (at) {
                to[1] = letter[at - plain];
                return 2;
        }
        if (c >= 0x20 && c < 0x7f) {
                to[0] = (char)c;
                return 1;
        }
        to[1] = 'x';
        to[2] = hex[c >> 4];
        to[3] = hex[c & 15];
        return 4;
}

static void put_bytes(struct buf *out, const char *p, uint32_t n)
{
        char line[WIDTH + 4], one[4];
        bool more = false; /* this line goes on with the one above */

        for (uint32_t i = 0, from = 0; i < n; from = i) {
                unsigned w = 0, k;

                do {
                        k = put_byte(one, (unsigned char)p[i]);
                        if (w + k > WIDTH)
                                break;
                        memcpy(line + w, one, k);
                        w += k;
                } while (p[i++] != '\n' && i < n);
                buf_printf(out, "  %05u%c %.*s\n", from, more ? '+' : ' ', (int)w, line);
                more = p[i - 1] != '\n';
        }
}

static void put_date(struct buf *out, int64_t wall_us)
{
        buf_printf(out, "[%.20s.%03d]", logdate(wall_us)->local, (int)(wall_us / 1000 % 1000));
}

static void put_capture(struct buf *out, const struct capture *c)
{
        char ip[48];

        buf_puts(out, " \n");
        put_date(out, c->wall_us);
        if (c->response)
                buf_printf(out, " backend %s (#%d): invalid response\n  frontend %s (#%d)", c->back, c->back_iid,
                           c->front, c->front_iid);
        else
                buf_printf(out, " frontend %s (#%d): invalid request\n  backend %s (#%d)", c->front, c->front_iid,
                           c->back, c->back_iid);
        buf_printf(out, ", server %s (#%d), event #%llu, src ", c->server, c->server_id, (unsigned long long)c->event);
        if (c->src.sa.sa_family == AF_UNIX)
                buf_puts(out, "unix");
        else
                buf_printf(out, "%.*s:%d", (int)addr_ip_text(&c->src, ip, sizeof(ip)), ip, addr_port(&c->src));
        buf_printf(out, "\n  len %u, error at position %u: %s\n  \n", c->len, c->at, c->why);
        put_bytes(out, c->bytes, c->kept);
}

struct show {
        int iid; /* -1: all */
        bool requests, responses;
        uint64_t next; /* event */
};

static bool read_proxy(struct str text, int *ret_iid)
{
        struct front *f = front_find(text);
        struct back *b = back_find(text);
        int64_t v;

        if (f || b) {
                *ret_iid = f ? f->iid : b->iid;
                return true;
        }
        if (!str_to_i64(text, &v) || v > INT32_MAX || v < -1)
                return false;
        *ret_iid = (int)v;
        return true;
}

static void show_errors(struct cli_call *c)
{
        struct show *s = arena_alloc(c->mem, sizeof(*s));
        uint64_t events;

        *s = (struct show){ .iid = -1, .requests = true, .responses = true };
        if (c->n_args > 2 && !read_proxy(c->args[2], &s->iid)) {
                cli_msg(c, 3, "No such proxy.\n");
                return;
        }
        s->responses = !cli_arg_is(c, 3, "request");
        s->requests = !cli_arg_is(c, 3, "response");
        pthread_mutex_lock(&bad.lock);
        events = bad.events;
        pthread_mutex_unlock(&bad.lock);
        buf_puts(c->out, "Total events captured on ");
        put_date(c->out, thr_self->sys->wall_us());
        buf_printf(c->out, " : %llu\n", (unsigned long long)events);
        c->state = s;
}

static bool shown(const struct show *s, const struct capture *c)
{
        return c->event >= s->next && (c->response ? s->responses : s->requests) &&
               (s->iid < 0 || s->iid == c->front_iid || s->iid == c->back_iid);
}

/* One capture a piece, in the order of the events. */
static bool more_errors(struct cli_call *c)
{
        struct show *s = c->state;
        const struct capture *found = NULL;

        if (!s)
                return false;
        pthread_mutex_lock(&bad.lock);
        for (struct list *i = bad.all.prev; i != &bad.all && !found; i = i->prev)
                if (shown(s, list_item(i, struct capture, link)))
                        found = list_item(i, struct capture, link);
        if (found) {
                put_capture(c->out, found);
                s->next = found->event + 1;
        }
        pthread_mutex_unlock(&bad.lock);
        return found != NULL;
}

static const struct cli_cmd cmd_errors = {
        .words = "show errors",
        .args = "[-1|<proxy>] [request|response]",
        .help = "the last invalid messages of each proxy, byte by byte",
        .level = CLI_OPERATOR,
        .run = show_errors,
        .more = more_errors,
};
CLI_CMD(cmd_errors);
