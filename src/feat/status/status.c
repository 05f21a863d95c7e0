/* feat/status/status.c - `telamon status URL`: the servers of a running proxy, one line each, from its statistics page.
 *
 * Works on ours and on HAProxy's page (2.1 and newer: `;json`), so a script can ask both the same way. The page of a
 * large configuration is hundreds of megabytes of JSON: it is read item by item as it arrives and never held. */
#include "core/role.h"
#include "ext/httpc.h"
#include "ext/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define USAGE                                                                                                          \
        "Usage : telamon status [ -t <milliseconds> ] http://[<user>:<password>@]<address>:<port>/<statistics page>\n" \
        "Exit code: 0 all servers are up, 1 some are not, 2 the page could not be read.\n"
#define ROW_MAX (256u * 1024)

struct status {
        struct loop loop;
        struct json_split split;
        struct httpc_call call;
        unsigned servers, down;
};

/* A row is a list of {"field":{"name":N},"value":{"value":V}}. */
static const struct val *column(const struct val *row, const char *name)
{
        for (uint32_t i = 0; row->type == VAL_LIST && i < row->n; i++)
                if (str_is(val_text(val_get(val_get(&row->items[i], "field"), "name")), name))
                        return val_get(val_get(&row->items[i], "value"), "value");
        return NULL;
}

/* The page is somebody else's text: nothing that a terminal would obey. */
static void put_text(struct str s, FILE *out)
{
        for (size_t i = 0; i < s.n; i++)
                (void)fputc((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? '?' : s.p[i], out);
}

/* "UP", "UP 1/3" (going down), "no check" and "DRAIN" take traffic or could. */
static bool is_up(struct str status)
{
        return str_has_prefix(status, STR("UP")) || str_is(status, "no check") || str_has_prefix(status, STR("DRAIN"));
}

static int on_row(struct json_split *s, const struct val *row)
{
        struct status *st = container_of(s, struct status, split);
        struct str status = val_text(column(row, "status"));

        if (val_int(column(row, "type"), -1) != 2)
                return 0; /* a frontend, a backend or a socket */
        st->servers++;
        st->down += !is_up(status);
        put_text(val_text(column(row, "pxname")), stdout);
        (void)fputc('/', stdout);
        put_text(val_text(column(row, "svname")), stdout);
        (void)fputc(' ', stdout);
        put_text(status, stdout);
        (void)printf(" %lld\n", (long long)val_int(column(row, "scur"), 0));
        return 0;
}

static int on_data(struct httpc_call *c, struct str piece)
{
        struct status *st = container_of(c, struct status, call);

        return json_split_feed(&st->split, piece);
}

static void on_done(struct httpc_call *c)
{
        loop_stop(&container_of(c, struct status, call)->loop);
}

/* What went wrong, or NULL. */
static const char *verdict(struct status *st)
{
        struct arena mem = ARENA_INIT;
        int err;

        if (st->call.status && st->call.status != 200)
                return "the page was refused";
        if (st->split.err.text[0])
                return st->split.err.text;
        if (st->call.err)
                return st->call.why;
        err = json_split_end(&st->split, &mem, NULL);
        arena_fini(&mem);
        return err ? st->split.err.text : NULL;
}

static int ask(struct status *st, const char *url, int timeout_ms)
{
        AUTO_BUF(page);
        struct httpc_req r = { .timeout_ms = timeout_ms };
        struct httpc *h;
        int err = httpc_new(&st->loop, &h);

        if (err)
                return err;
        buf_puts(&page, url);
        if (!strchr(url, ';'))
                buf_puts(&page, ";json");
        buf_add(&page, "", 1);
        r.url = page.p;
        st->call = (struct httpc_call){ .data = on_data, .done = on_done };
        err = httpc_start(h, &st->call, &r);
        if (!err)
                err = loop_run(&st->loop);
        httpc_free(h);
        return err;
}

static int run(struct status *st, struct thr *t, const char *url, int timeout_ms)
{
        const char *wrong;
        int err = loop_init(&st->loop, t);

        if (err) {
                (void)fprintf(stderr, "telamon status: %s\n", strerror(-err));
                return 2;
        }
        json_split_init(&st->split, JSON_LIST, NULL, ROW_MAX, on_row);
        err = ask(st, url, timeout_ms);
        wrong = err ? strerror(-err) : verdict(st);
        if (err == -EINVAL)
                wrong = "expects http:// and an address, not a name";
        if (wrong && st->call.status)
                (void)fprintf(stderr, "telamon status: %s: %s (status %d)\n", url, wrong, st->call.status);
        else if (wrong)
                (void)fprintf(stderr, "telamon status: %s: %s\n", url, wrong);
        json_split_fini(&st->split);
        loop_fini(&st->loop);
        return wrong ? 2 : st->down > 0;
}

static int status_main(int argc, char **argv)
{
        bool timed = argc == 4 && strcmp(argv[1], "-t") == 0;
        int64_t ms = 5000;
        struct status *st;
        struct thr *t;
        int code;

        if ((argc != 2 && !timed) || argv[argc - 1][0] == '-' ||
            (timed && (!str_to_i64(str_of(argv[2]), &ms) || ms < 1 || ms > INT32_MAX))) {
                (void)fputs(USAGE, stderr);
                return 2;
        }
        t = thr_new(0, &sys_kernel, 4096);
        st = calloc(1, sizeof(*st));
        ASSERT(t != NULL && st != NULL);
        code = run(st, t, argv[argc - 1], (int)ms);
        free(st);
        thr_free(t);
        return code;
}

static const struct verb status = {
        "status", "[-t <ms>] <url>",
        "the servers of a running proxy, from its statistics page; exit code 1: some are down", status_main
};
VERB(status);
