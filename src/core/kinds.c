/* core/kinds.c - the kinds of objects that a file describes. */
#include "core/rows_int.h"

static const struct conf_kind kind_global = { .name = "global", .bit = KIND_GLOBAL, .section = true, .single = true };

static const struct conf_kind kind_defaults = {
        .name = "defaults", .bit = KIND_DEFAULTS, .section = true, .is_defaults = true
};

/* A frontend and a backend may share a name, as up to HAProxy 3.2; a listen section is both. */
static const struct conf_kind kind_frontend = { .name = "frontend",
                                                .bit = KIND_FRONTEND,
                                                .section = true,
                                                .named = true,
                                                .inherits = KIND_DEFAULTS,
                                                .clash = "front",
                                                .lacks = "backend",
                                                .args = bind_section_args };

static const struct conf_kind kind_backend = { .name = "backend",
                                               .bit = KIND_BACKEND,
                                               .section = true,
                                               .named = true,
                                               .inherits = KIND_DEFAULTS,
                                               .clash = "back",
                                               .lacks = "frontend" };

static const struct conf_kind kind_listen = { .name = "listen",
                                              .bit = KIND_LISTEN,
                                              .section = true,
                                              .named = true,
                                              .inherits = KIND_DEFAULTS,
                                              .clash = "front,back",
                                              .args = bind_section_args };

static const struct conf_kind kind_bind = {
        .name = "bind", .bit = KIND_BIND, .parents = KIND_FE, .title = bind_title, .example = "bind 127.0.0.1:26000"
};

static const struct conf_kind kind_stats_socket = { .name = "stats socket",
                                                    .bit = KIND_STATS_SOCKET,
                                                    .parents = KIND_GLOBAL,
                                                    .title = bind_title,
                                                    .example = "stats socket /run/telamon.sock" };

static const struct conf_kind kind_server = { .name = "server",
                                              .bit = KIND_SERVER,
                                              .inherits = KIND_DEFAULT_SERVER,
                                              .parents = KIND_BE,
                                              .short_place = true,
                                              .dump = server_line_dump,
                                              .example = "server s1 127.0.0.1:80" };

static const struct conf_kind kind_default_server = { .name = "default-server",
                                                      .bit = KIND_DEFAULT_SERVER,
                                                      .single = true,
                                                      .is_defaults = true,
                                                      .parents = KIND_BE | KIND_DEFAULTS,
                                                      .short_place = true,
                                                      .title = default_server_title,
                                                      .example = "default-server" };

static const struct conf_kind kind_http_errors = {
        .name = "http-errors", .bit = KIND_HTTP_ERRORS, .section = true, .named = true, .clash = "http-errors"
};

static const struct conf_kind kind_userlist = {
        .name = "userlist", .bit = KIND_USERLIST, .section = true, .named = true, .clash = "userlist"
};

CONF_KIND(kind_global);
CONF_KIND(kind_defaults);
CONF_KIND(kind_frontend);
CONF_KIND(kind_backend);
CONF_KIND(kind_listen);
CONF_KIND(kind_bind);
CONF_KIND(kind_stats_socket);
CONF_KIND(kind_server);
CONF_KIND(kind_default_server);
CONF_KIND(kind_http_errors);
CONF_KIND(kind_userlist);
