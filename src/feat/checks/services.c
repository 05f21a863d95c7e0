/* feat/checks/services.c - `option mysql-check`, `pgsql-check`, ...: what is asked and which answers are awaited. The answers are
 * judged in proto/svc.c. */
#include "conf/conf.h"
#include "feat/checks/checks.h"

struct plan {
        struct step *v; /* NULL: count only */
        uint32_t n;
};

static void put(struct plan *p, struct step s)
{
        if (!s.number)
                s.number = p->n + 1; /* for messages */
        if (p->v)
                p->v[p->n] = s;
        p->n++;
}

static void dial(struct plan *p) /* these services log who goes away without a word: close in order */
{
        put(p, (struct step){ .kind = STEP_CONNECT, .connect = { .linger = true } });
}

static void say(struct plan *p, struct str bytes)
{
        put(p, (struct step){ .kind = STEP_SEND, .send = { .text = bytes } });
}

/* number: HAProxy's of the step, for messages. error: CHECK_UNKNOWN, or what any failure means. */
static void await(struct plan *p, svc_fn fn, unsigned number, enum check_status error)
{
        put(p, (struct step){ .kind = STEP_EXPECT,
                              .number = number,
                              .expect = { .kind = EXPECT_SERVICE, .min_recv = -1, .error = error, .service = fn } });
}

static struct str keep(struct conf *c, const struct buf *b)
{
        char *p = conf_alloc(c, b->n + 1);

        memcpy(p, b->p, b->n);
        return (struct str){ p, b->n };
}

static void mysql(struct conf *c, const struct check_proxy_cfg *cfg, struct plan *p)
{
        AUTO_BUF(b);

        if (cfg->user) { /* before the greeting, as HAProxy does: a proxy between may wait for the client's first word */
                svc_mysql_login((enum svc_mysql_form)cfg->mysql, str_of(cfg->user), &b);
                say(p, keep(c, &b));
        }
        await(p, svc_mysql_greeting, cfg->user ? 3 : 2, CHECK_UNKNOWN);
        if (cfg->user)
                await(p, svc_mysql_result, 4, CHECK_UNKNOWN);
}

static void pgsql(struct conf *c, const struct check_proxy_cfg *cfg, struct plan *p)
{
        AUTO_BUF(b);

        svc_pgsql_startup(str_of(cfg->user), &b);
        say(p, keep(c, &b));
        await(p, svc_pgsql, 3, CHECK_UNKNOWN);
}

static void smtp(struct conf *c, const struct check_proxy_cfg *cfg, struct plan *p)
{
        AUTO_BUF(b);

        buf_printf(&b, "%s\r\n", cfg->hello ? cfg->hello : "HELO localhost");
        await(p, svc_smtp, 2, CHECK_UNKNOWN);
        say(p, keep(c, &b));
        await(p, svc_smtp, 5, CHECK_L7STS);
        say(p, STR("QUIT\r\n"));
        await(p, svc_smtp, 7, CHECK_L7STS);
}

static void ssl_hello(struct plan *p)
{
        say(p, svc_ssl_hello);
        put(p, (struct step){ .kind = STEP_EXPECT,
                              .number = 2,
                              .expect = { .kind = EXPECT_SERVICE,
                                          .min_recv = -1,
                                          .ok = CHECK_L6OK,
                                          .error = CHECK_L6RSP,
                                          .tout = CHECK_L6TOUT,
                                          .service = svc_ssl } });
}

uint32_t service_steps(struct conf *c, const struct check_proxy_cfg *cfg, struct step *steps)
{
        struct plan p = { .v = steps };

        dial(&p);
        switch ((enum check_kind)cfg->kind) {
        case SCRIPT_MYSQL: mysql(c, cfg, &p); break;
        case SCRIPT_PGSQL: pgsql(c, cfg, &p); break;
        case SCRIPT_SMTP: smtp(c, cfg, &p); break;
        case SCRIPT_REDIS:
                say(&p, STR(SVC_REDIS_PING));
                await(&p, svc_redis, 2, CHECK_UNKNOWN);
                break;
        case SCRIPT_LDAP:
                say(&p, svc_ldap_bind);
                await(&p, svc_ldap, 2, CHECK_UNKNOWN);
                break;
        case SCRIPT_SSL_HELLO: ssl_hello(&p); break;
        default: break;
        }
        return p.n;
}
