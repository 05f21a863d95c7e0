/* core/rows_int.h - what the keyword tables of core share. Nobody outside core/rows_*.c and kinds.c includes it. */
#ifndef CORE_ROWS_INT_H
#define CORE_ROWS_INT_H

#include "core/kinds.h"
#include "core/lookup.h"
#include "core/server.h"

/* For rows that only act, or whose value another row prints. */
void dump_nothing(const struct kw *kw, const void *slot, struct buf *out);
/* All arguments joined by single spaces, interned; NULL after an alert when there is none. */
const char *join_args(struct kw_call *c);
/* The kinds' own noun in messages: "frontend", "backend", "proxy" for listen. */
const char *proxy_noun(const struct conf_obj *o);

/* rows_bind.c */
int bind_line_parse(struct kw_call *c);
int stats_socket_parse(struct kw_call *c);
int bind_section_args(struct kw_call *c);
void bind_title(const struct conf_obj *o, struct buf *out);

/* rows_server.c, rows_address.c */
int server_line_parse(struct kw_call *c);
int server_template_parse(struct kw_call *c);
int default_server_parse(struct kw_call *c);
int dispatch_parse(struct kw_call *c);
void server_line_dump(const struct conf_obj *o, struct buf *out);
void default_server_title(const struct conf_obj *o, struct buf *out);

/* rows_option.c: KW_FN rows of the table in rows_proxy.c */
int opt_log_parse(struct kw_call *c);
int opt_log_elsewhere_parse(struct kw_call *c);
void opt_log_dump(const struct kw *kw, const void *slot, struct buf *out);
int opt_forward_parse(struct kw_call *c);
void opt_forward_dump(const struct kw *kw, const void *slot, struct buf *out);
int opt_abortonclose_parse(struct kw_call *c);
void opt_abortonclose_dump(const struct kw *kw, const void *slot, struct buf *out);
int opt_redispatch_parse(struct kw_call *c);
void opt_redispatch_dump(const struct kw *kw, const void *slot, struct buf *out);
int opt_tcpka_parse(struct kw_call *c);
int opt_connection_parse(struct kw_call *c);
void opt_connection_dump(const struct kw *kw, const void *slot, struct buf *out);

/* rows_address.c */
struct lookup_want *server_addr_want(struct conf *c, struct server_addr_cfg *a); /* a copy of its own, to be changed */
bool server_addr_asks_libc(
        const struct server_addr_cfg *a); /* does init-addr come to `libc` before something that always works? */

/* proxy_check.c */
void proxy_check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d);
void server_check_line(struct conf *c, struct conf_obj *o, void *slot, struct diags *d);

#endif
