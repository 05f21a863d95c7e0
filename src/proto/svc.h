/* proto/svc.h - what well-known services say to a health check: MySQL, PostgreSQL, Redis, SMTP, LDAP, TLS.
 *
 * Each is asked with fixed bytes and judged by its first answer; nobody logs in. Pure: all bytes received since the last send go
 * in, a verdict comes out.
 * Ownership: texts in a verdict borrow from the input.  Errors: none; nothing a server sends reaches an assert. */
#ifndef PROTO_SVC_H
#define PROTO_SVC_H

#include "base/buf.h"

enum svc_answer {
        SVC_MORE, /* call again with more bytes */
        SVC_OK,
        SVC_FAILED,  /* it speaks the protocol and says no: code, text */
        SVC_INVALID, /* it does not speak the protocol, or stopped in the middle: text */
};

struct svc_verdict {
        enum svc_answer answer;
        int code;        /* of the protocol, 0 */
        struct str text; /* what it said; may hold any byte */
};

/* last: no byte follows these. With last, never SVC_MORE. */
typedef struct svc_verdict (*svc_fn)(struct str in, bool last);

#define SVC_PACKET_MAX 16384u /* an announced length above it is no answer to a check */

enum svc_mysql_form { SVC_MYSQL_GREETING, SVC_MYSQL_POST41, SVC_MYSQL_PRE41, SVC_MYSQL_POST80 };

void svc_mysql_login(enum svc_mysql_form f, struct str user, struct buf *out); /* and COM_QUIT */
struct svc_verdict svc_mysql_greeting(struct str in, bool last);               /* OK: text is the version */
struct svc_verdict svc_mysql_result(struct str in, bool last); /* in: the greeting and what follows it */

void svc_pgsql_startup(struct str user, struct buf *out);
struct svc_verdict svc_pgsql(struct str in, bool last);

#define SVC_REDIS_PING "*1\r\n$4\r\nPING\r\n" /* RESP array */
struct svc_verdict svc_redis(struct str in, bool last);

struct svc_verdict svc_smtp(struct str in, bool last); /* one reply, of any number of lines; OK: 2xx */

extern const struct str svc_ldap_bind; /* anonymous simple bind, message 1 (RFC 4511 4.2) */
struct svc_verdict svc_ldap(struct str in, bool last);

extern const struct str svc_ssl_hello;
struct svc_verdict svc_ssl(struct str in, bool last);

#endif
