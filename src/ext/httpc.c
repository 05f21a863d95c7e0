/* ext/httpc.c - libcurl's multi interface on a loop.
 *
 * libcurl counts on level-triggered readiness in both directions, our loop gives edges. So its sockets live in an epoll
 * set of their own, and the loop watches that set's fd: it is readable while any of them is ready. libcurl's one timer is
 * one timer of the loop. Callbacks into features come from the loop's callbacks only, never from within httpc_start(). */
#include "ext/httpc.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EVENTS 16 /* taken per turn; the rest stays ready */

/* What we call of it: name without "curl_". */
#define CALLS(X)                                                                                                       \
        X(global_init)                                                                                                 \
        X(multi_init)                                                                                                  \
        X(multi_cleanup)                                                                                               \
        X(multi_setopt)                                                                                                \
        X(multi_add_handle)                                                                                            \
        X(multi_remove_handle)                                                                                         \
        X(multi_socket_action)                                                                                         \
        X(multi_info_read)                                                                                             \
        X(easy_init)                                                                                                   \
        X(easy_cleanup)                                                                                                \
        X(easy_setopt)                                                                                                 \
        X(easy_getinfo)                                                                                                \
        X(easy_strerror)                                                                                               \
        X(slist_append)                                                                                                \
        X(slist_free_all)                                                                                              \
        X(url)                                                                                                         \
        X(url_set)                                                                                                     \
        X(url_get)                                                                                                     \
        X(url_cleanup)                                                                                                 \
        X(free)

#define MEMBER(n) __typeof__(curl_##n) *n;
static struct {
        CALLS(MEMBER)
} curl;

#define SYMBOL(n) { "curl_" #n, (void **)(void *)&curl.n },
static const struct {
        const char *name;
        void **at;
} symbols[] = { CALLS(SYMBOL) };

struct httpc {
        struct loop *loop;
        CURLM *multi;
        struct ev_fd ready; /* the epoll set */
        struct timer timer;
        unsigned calls; /* active */
};

struct httpc_wire {
        CURL *easy;
        struct curl_slist *fields, *to;
        char why[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int loaded; /* 0, or why not; written once */

static void load(void)
{
        void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

        loaded = lib ? 0 : -ENOPKG;
        for (size_t i = 0; i < array_len(symbols) && !loaded; i++) {
                *symbols[i].at = dlsym(lib, symbols[i].name);
                loaded = *symbols[i].at ? 0 : -ENOPKG;
        }
        if (!loaded && curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                loaded = -ENOMEM;
}

static void unwire(struct httpc_call *c)
{
        struct httpc_wire *w = c->wire;

        c->wire = NULL;
        if (!w)
                return;
        if (w->easy) {
                (void)curl.multi_remove_handle(c->owner->multi, w->easy); /* fine when it was never added */
                curl.easy_cleanup(w->easy);
        }
        curl.slist_free_all(w->fields);
        curl.slist_free_all(w->to);
        free(w);
}

static int errno_of(CURLcode r, CURL *easy)
{
        long os = 0;

        switch (r) {
        case CURLE_OK: return 0;
        case CURLE_OPERATION_TIMEDOUT: return -ETIMEDOUT;
        case CURLE_OUT_OF_MEMORY: return -ENOMEM;
        case CURLE_COULDNT_CONNECT:
                (void)curl.easy_getinfo(easy, CURLINFO_OS_ERRNO, &os);
                return os > 0 ? -(int)os : -ECONNREFUSED;
        default: return -EPROTO;
        }
}

static void finish(struct httpc_call *c, CURLcode r)
{
        long status = 0;

        (void)curl.easy_getinfo(c->wire->easy, CURLINFO_RESPONSE_CODE, &status);
        c->status = (int)status;
        c->err = c->answer ? c->answer : errno_of(r, c->wire->easy);
        if (c->err)
                (void)snprintf(c->why, sizeof(c->why), "%.127s",
                               c->wire->why[0] ? c->wire->why : curl.easy_strerror(r));
        unwire(c);
        c->owner->calls--;
        c->done(c);
}

/* Calls that have ended. Each look begins anew: `done` may have started or cancelled others. */
static void reap(struct httpc *h)
{
        struct httpc_call *c;
        CURLMsg *m;
        int left;

        while ((m = curl.multi_info_read(h->multi, &left)) != NULL) {
                CURLcode r = m->data.result;

                if (m->msg == CURLMSG_DONE &&
                    curl.easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c) == CURLE_OK)
                        finish(c, r);
        }
}

static void on_ready(struct ev_fd *e, uint32_t events)
{
        struct httpc *h = container_of(e, struct httpc, ready);
        struct epoll_event ev[EVENTS];
        int n = h->loop->thr->sys->poll_wait(e->fd, ev, EVENTS, 0), running;

        (void)events;
        for (int i = 0; i < n; i++) {
                unsigned in = ev[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0;
                unsigned out = ev[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
                unsigned bad = ev[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0;

                (void)curl.multi_socket_action(h->multi, ev[i].data.fd, (int)(in | out | bad), &running);
        }
        reap(h);
}

static void on_timer(struct timer *t)
{
        struct httpc *h = container_of(t, struct httpc, timer);
        int running;

        (void)curl.multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        reap(h);
}

/* libcurl says what it waits for. `known`: the socket is in the set. */
static int watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
        struct httpc *h = arg;
        bool in = what == CURL_POLL_IN || what == CURL_POLL_INOUT,
             out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
        struct epoll_event ev = { .events = (in ? (uint32_t)EPOLLIN : 0) | (out ? (uint32_t)EPOLLOUT : 0),
                                  .data.fd = fd };

        (void)easy;
        (void)known;
        if (what == CURL_POLL_REMOVE)
                return epoll_ctl(h->ready.fd, EPOLL_CTL_DEL, fd, NULL) && errno != ENOENT && errno != EBADF ? -1 : 0;
        if (epoll_ctl(h->ready.fd, EPOLL_CTL_MOD, fd, &ev) == 0)
                return 0;
        return errno == ENOENT && epoll_ctl(h->ready.fd, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : -1;
}

static int set_timer(CURLM *m, long ms, void *arg)
{
        struct httpc *h = arg;

        (void)m;
        if (ms < 0)
                timer_stop(h->loop, &h->timer);
        else
                timer_start(h->loop, &h->timer, mono_add_ms(h->loop->thr->now, ms));
        return 0;
}

int httpc_new(struct loop *l, struct httpc **ret_h)
{
        struct httpc *h;
        int err = -ENOMEM;

        (void)pthread_once(&once, load);
        if (loaded)
                return loaded;
        h = calloc(1, sizeof(*h));
        if (!h)
                return -ENOMEM;
        h->loop = l;
        timer_init(&h->timer, on_timer);
        h->ready = (struct ev_fd){ .fd = epoll_create1(EPOLL_CLOEXEC), .fn = on_ready };
        h->multi = curl.multi_init();
        if (h->ready.fd >= 0 && h->multi)
                err = loop_add_level(l, &h->ready, false);
        if (err) {
                httpc_free(h);
                return err;
        }
        (void)curl.multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, watch);
        (void)curl.multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
        (void)curl.multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer);
        (void)curl.multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
        *ret_h = h;
        return 0;
}

void httpc_free(struct httpc *h)
{
        if (!h)
                return;
        ASSERT(h->calls == 0);
        if (h->multi)
                (void)curl.multi_cleanup(h->multi); /* closes idle connections: needs the set and the timer */
        timer_stop(h->loop, &h->timer);
        loop_del(h->loop, &h->ready);
        if (h->ready.fd >= 0)
                (void)close(h->ready.fd);
        free(h);
}

static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
        struct httpc_call *c = arg;

        (void)one; /* 1 by definition */
        c->answer = c->data(c, (struct str){ p, n });
        return c->answer ? CURL_WRITEFUNC_ERROR : n;
}

static bool is_literal(const char *host)
{
        size_t n = strlen(host);
        char v6[INET6_ADDRSTRLEN];
        struct in6_addr a;

        if (inet_pton(AF_INET, host, &a) == 1)
                return true;
        if (n < 2 || host[0] != '[' || host[n - 1] != ']' || n - 2 >= sizeof(v6))
                return false;
        memcpy(v6, host + 1, n - 2);
        v6[n - 2] = '\0';
        return inet_pton(AF_INET6, v6, &a) == 1;
}

/* http or https, and nothing left to resolve. */
static bool url_ok(const struct httpc_req *r)
{
        CURLU *u = curl.url();
        char *scheme = NULL, *host = NULL;
        bool ok = u && curl.url_set(u, CURLUPART_URL, r->url, 0) == CURLUE_OK &&
                  curl.url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                  curl.url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                  (strcmp(scheme, "http") == 0 || (strcmp(scheme, "https") == 0 && r->ca.n)) &&
                  (r->to || is_literal(host));

        curl.free(scheme);
        curl.free(host);
        curl.url_cleanup(u);
        return ok;
}

/* CURLOPT_CONNECT_TO's "any host : any port : address : port". */
static struct curl_slist *connect_to(const struct addr *to)
{
        struct curl_slist *l;
        AUTO_BUF(b);

        buf_puts(&b, to->sa.sa_family == AF_INET6 ? "::[" : "::");
        addr_print_ip(to, &b);
        buf_puts(&b, to->sa.sa_family == AF_INET6 ? "]:" : ":");
        if (addr_port(to))
                buf_printf(&b, "%d", addr_port(to));
        buf_add(&b, "", 1);
        l = b.failed ? NULL : curl.slist_append(NULL, b.p);
        return l;
}

static bool add_fields(struct httpc_wire *w, const char *const *fields)
{
        for (; fields && *fields; fields++) {
                struct curl_slist *more = curl.slist_append(w->fields, *fields);

                if (!more)
                        return false;
                w->fields = more;
        }
        return true;
}

static CURLcode set_blob(CURL *e, CURLoption o, struct str pem)
{
        struct curl_blob b = { (void *)(uintptr_t)pem.p, pem.n, CURL_BLOB_COPY };

        return pem.n ? curl.easy_setopt(e, o, &b) : CURLE_OK;
}

/* Each is refused only for want of memory, or by a libcurl without TLS. */
static bool set_all(struct httpc_call *c, const struct httpc_req *r)
{
        struct httpc_wire *w = c->wire;
        CURL *e = w->easy;
        int bad = 0;

        bad |= curl.easy_setopt(e, CURLOPT_URL, r->url) != CURLE_OK;
        bad |= curl.easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method) != CURLE_OK; /* NULL: by the other options */
        bad |= curl.easy_setopt(e, CURLOPT_CONNECT_TO, w->to) != CURLE_OK;
        bad |= curl.easy_setopt(e, CURLOPT_HTTPHEADER, w->fields) != CURLE_OK;
        bad |= curl.easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK;
        bad |= curl.easy_setopt(e, CURLOPT_PROXY, "") != CURLE_OK; /* nor one of the environment */
        bad |= curl.easy_setopt(e, CURLOPT_NOSIGNAL, 1L) != CURLE_OK;
        bad |= curl.easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms) != CURLE_OK;
        bad |= curl.easy_setopt(e, CURLOPT_ERRORBUFFER, w->why) != CURLE_OK;
        bad |= curl.easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK;
        bad |= curl.easy_setopt(e, CURLOPT_WRITEDATA, c) != CURLE_OK;
        bad |= curl.easy_setopt(e, CURLOPT_PRIVATE, c) != CURLE_OK;
        bad |= set_blob(e, CURLOPT_CAINFO_BLOB, r->ca) != CURLE_OK;
        bad |= set_blob(e, CURLOPT_SSLCERT_BLOB, r->cert) != CURLE_OK;
        bad |= set_blob(e, CURLOPT_SSLKEY_BLOB, r->key) != CURLE_OK;
        if (r->method && strcmp(r->method, "HEAD") == 0)
                bad |= curl.easy_setopt(e, CURLOPT_NOBODY, 1L) != CURLE_OK; /* or it would wait for one */
        if (r->body.n) {
                bad |= curl.easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n) != CURLE_OK;
                bad |= curl.easy_setopt(e, CURLOPT_COPYPOSTFIELDS, r->body.p) != CURLE_OK;
        }
        return !bad;
}

int httpc_start(struct httpc *h, struct httpc_call *c, const struct httpc_req *r)
{
        struct httpc_wire *w;

        if (!url_ok(r))
                return -EINVAL;
        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        c->owner = h;
        c->wire = w;
        c->status = c->err = c->answer = 0;
        c->why[0] = '\0';
        w->easy = curl.easy_init();
        w->to = r->to ? connect_to(r->to) : NULL;
        if (!w->easy || (r->to && !w->to) || !add_fields(w, r->fields) || !set_all(c, r) ||
            curl.multi_add_handle(h->multi, w->easy) != CURLM_OK) {
                unwire(c);
                return -ENOMEM;
        }
        h->calls++;
        return 0;
}

void httpc_cancel(struct httpc_call *c)
{
        if (!c->wire)
                return;
        unwire(c);
        c->owner->calls--;
}
