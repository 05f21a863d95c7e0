/* feat/checks/request.c - the request of an HTTP check, written out. */
#include "base/thr.h"
#include "feat/checks/checks.h"

enum { VALUE_MAX = 8192, BODY_MAX = 16384 };

static bool is_target(struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127)
                        return false;
        }
        return s.n > 0;
}

/* No byte that could end the line: a format may print what another server sent. */
static bool put_field(struct buf *out, struct str name, struct str value)
{
        for (size_t i = 0; i < value.n; i++) {
                if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 127)
                        return false;
        }
        buf_str(out, name);
        buf_puts(out, ": ");
        buf_str(out, value);
        buf_puts(out, "\r\n");
        return true;
}

static bool put_fields(const struct step_request *r, const struct expr_ctx *x, struct buf *out, bool *ret_connection)
{
        char room[VALUE_MAX];

        for (uint32_t i = 0; i < r->n_fields; i++) {
                struct str v = { room, logfmt_print(r->fields[i].fmt, x, room, sizeof(room)) };

                *ret_connection |= str_is(r->fields[i].name, "connection");
                if (!put_field(out, r->fields[i].name, str_trim(v)))
                        return false;
        }
        return true;
}

bool request_write(const struct step_request *r, const struct expr_ctx *x, struct str state, struct buf *out)
{
        char room[BODY_MAX];
        struct str uri = r->uri.n ? r->uri : STR("/"), body = r->body.text;
        bool connection = false, old = !r->version.n || str_is(r->version, "HTTP/1.0");

        if (r->uri_fmt)
                uri = (struct str){ room, logfmt_print(r->uri_fmt, x, room, sizeof(room)) };
        if (!is_target(uri))
                return false;
        buf_str(out, r->method.n ? r->method : STR("OPTIONS"));
        buf_putc(out, ' ');
        buf_str(out, uri);
        buf_puts(out, old ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
        if (!put_fields(r, x, out, &connection))
                return false;
        if (state.n && !put_field(out, STR("x-haproxy-server-state"), state))
                return false;
        if (r->has_body && r->body.fmt)
                body = (struct str){ room, logfmt_print(r->body.fmt, x, room, sizeof(room)) };
        if (r->has_body)
                buf_printf(out, "content-length: %zu\r\n", body.n);
        if (!old && !connection)
                buf_puts(out, "connection: close\r\n");
        buf_puts(out, "\r\n");
        if (r->has_body)
                buf_str(out, body);
        return !out->failed;
}
