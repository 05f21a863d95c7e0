/* core/front.h - what stands between an accepted connection and the streams of its session: the seam for TLS and HTTP/2.
 *
 * By itself core/sess.h serves HTTP/1 and TCP on a plain socket. The words of a bind line may put two things between,
 * each a row of a feature, found once per configuration (front_use), so that core knows neither by name:
 * - a layer: a filter ep over the socket (TLS), opened at accept; everybody above sees only struct wire's ep;
 * - a protocol: another carrier of messages (HTTP/2) than core/wire.h, which hands streams their client side
 *   (core/mux.h) and may carry many at a time. It is said on the bind line, or agreed on by the layer (ALPN).
 * The choice falls at the first bytes: only then a handshake is done. They wait in the session's wire, which stays the
 * reader of the ep: a protocol takes bytes with wire_fill() and wire_take(), and writes with ep_tx(s->wire.ep).
 *
 * A session with a protocol: start() once; then wake() at every readiness, stop() when no new stream may begin (soft
 * stop, idle timeout), close() last, when no stream is left. The protocol calls sess_stream() for each request,
 * sess_quiet() when the last of them went, and sess_finish() when the connection has no more to carry; not in start().
 * Threads: the session's loop.  Errors: negative errno. */
#ifndef CORE_FRONT_H
#define CORE_FRONT_H

#include "conf/conf.h"
#include "core/sess.h"

struct front_layer {
        const char *name;
        /* Of one bind line, when the configuration is compiled: what open() needs, or NULL when the line has no such
         * layer. Lives as long as the configuration. */
        const void *(*applies)(struct conf *c, const struct conf_obj *bind);
        /* Puts the filter over *ep; it keeps `wake` and `owner`. Failed: *ep is as it was. */
        int (*open)(const void *arg, struct ep **ep);
        struct str (*agreed)(const struct ep *ep); /* name of a protocol, or empty */
};

struct front_proto {
        const char *name;                             /* as in ALPN: "h2" */
        bool (*applies)(const struct conf_obj *bind); /* the bind line says: this one, from the first byte on */
        int (*start)(struct sess *s);                 /* sets s->carrier; failed: the session is closed */
        void (*wake)(struct sess *s);
        void (*stop)(struct sess *s);
        void (*close)(struct sess *s);
        unsigned (*streams)(const struct sess *s); /* under way */
        unsigned streams_max;                      /* at a time, as the peer was told */
};

#define FRONT_LAYER(id)                                                                                                \
        static const struct front_layer *const id##_layer_reg __attribute__((used, section("telamon_layer"))) = &id
#define FRONT_PROTO(id)                                                                                                \
        static const struct front_proto *const id##_proto_reg __attribute__((used, section("telamon_proto"))) = &id

struct front_use { /* of one bind line */
        const struct front_layer *layer;
        const void *layer_arg;
        const struct front_proto *proto;
};

/* NULL: a plain socket, HTTP/1 or TCP. In the configuration's arena. */
const struct front_use *front_compile(struct conf *c, const struct conf_obj *bind);
const struct front_proto *front_proto_find(struct str name);                 /* NULL: not linked in */
const struct front_proto *front_proto_next(const struct front_proto *after); /* all of them; NULL: the first, none */

/* For protocols. A new stream: the caller attaches st->cl and wakes it. NULL: out of streams, refuse this one. */
struct strm *sess_stream(struct sess *s);
void sess_quiet(struct sess *s);              /* no stream now: the keep-alive timeout runs */
void sess_finish(struct sess *s, bool reset); /* no stream, nothing unsent: FIN, drain, close; or RST at once */

#endif
