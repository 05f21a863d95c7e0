/* core/rows_bind.c - bind lines, stats sockets and their words (manual 4.2 "bind", 5.1).
 *
 * "bind a:80,b:81 words" makes one object per address; the object's name is the address as written (variables replaced), which is also
 * its identity across reloads. A port range stays one object with a count. */
#include "core/cli.h"
#include "core/rows_int.h"

#define TFO_QUEUE 1024 /* connections whose handshake is not complete */

static const struct bind_cfg defaults = { .spec = { .at = { .inherited_fd = -1, .port_low = -1, .port_high = -1 },
                                                    .unix_mode = -1,
                                                    .unix_uid = -1,
                                                    .unix_gid = -1 },
                                          .count = 1,
                                          .level = CLI_OPERATOR };

void bind_title(const struct conf_obj *o, struct buf *out)
{
        if (o->kind->bit == KIND_STATS_SOCKET)
                buf_puts(out, "'stats socket' : ");
        else
                buf_printf(out, "'bind %s' in section '%s' : ", o->name, o->parent->kind->name);
}

/* ---- the address ---- */

static const char *cut_comma(struct kw_call *c, const char **p)
{
        const char *comma = strchr(*p, ','), *from = *p;
        size_t n = comma ? (size_t)(comma - from) : strlen(from);

        *p = comma ? comma + 1 : NULL;
        return conf_intern(c->conf, (struct str){ from, n });
}

/* The fields one by one: a struct assignment would copy padding, and slots are compared by bytes. */
static void take_spec(struct bind_cfg *b, const struct addr_spec *s)
{
        struct addr_spec *to = &b->spec.at;

        to->family = s->family;
        to->dgram = s->dgram;
        to->abstract = s->abstract;
        to->abstract_z = s->abstract_z;
        to->inherited_fd = s->inherited_fd;
        memcpy(&to->addr, &s->addr, sizeof(to->addr));
        memset(to->path, 0, sizeof(to->path));
        memcpy(to->path, s->path, strnlen(s->path, sizeof(to->path) - 1));
        to->port_low = to->port_high = s->port_low;
        b->count = s->port_high > s->port_low ? s->port_high - s->port_low + 1 : 1;
}

static bool resolve(struct kw_call *c, struct addr_spec *s)
{
        if (lookup_host(c->conf, s->host, &s->addr) < 0)
                return false;
        s->family = s->addr.sa.sa_family;
        addr_set_port(&s->addr, s->port_low);
        return true;
}

static bool parse_address(struct kw_call *c, const char *text, struct addr_spec *ret_s)
{
        const char *what = c->obj->kind->section && c->obj->kind->bit != KIND_GLOBAL ? "bind" : "stats socket";
        const char *why = "invalid address";
        struct addr_spec s;
        enum addr_answer a = addr_parse(str_of(text), ADDR_WANT_PORT | ADDR_RANGE | ADDR_FD | ADDR_UNIX, &s, &why);

        if (a == ADDR_BAD) {
                kw_fail(c, &c->args[0], "E0210", "'%s' : %s in '%s'", what, why, text);
                return false;
        }
        if (a == ADDR_NAME && !resolve(c, &s)) {
                kw_fail(c, &c->args[0], "E0211", "'%s' : invalid address: '%s' in '%s'", what, s.host, text);
                return false;
        }
        *ret_s = s;
        return true;
}

static struct conf_obj *add_bind(struct kw_call *c, kind_mask kind, const char *text)
{
        struct addr_spec s;
        struct conf_obj *o;

        if (!parse_address(c, text, &s))
                return NULL;
        o = conf_add_child(c, kind, str_of(text), c->args[0].at);
        take_spec(conf_slot_edit(c->conf, o, bind_slot), &s);
        return o;
}

/* Addresses in args[0], words after it. Returns how many arguments there were, or -1. */
static int parse_line(struct kw_call *c, kind_mask kind)
{
        uint32_t alerts = c->diags->n_alerts;
        const char *list, *text;
        struct conf_obj *o;

        if (!conf_expand(c, &c->args[0], &list))
                return -1;
        while (list) {
                text = cut_comma(c, &list);
                if (!*text)
                        continue;
                o = add_bind(c, kind, text);
                if (o && !kw_parse_words(c, o, c->args + 1, c->n_args - 1))
                        break; /* the same complaints for each address of the line help nobody */
        }
        return c->diags->n_alerts == alerts ? (int)c->n_args : -1;
}

int bind_line_parse(struct kw_call *c)
{
        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110",
                        "'bind' expects {<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments.");
                return -1;
        }
        return parse_line(c, KIND_BIND);
}

int stats_socket_parse(struct kw_call *c)
{
        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110",
                        "'stats socket' in global section expects an address or a path to a UNIX socket");
                return -1;
        }
        return parse_line(c, KIND_STATS_SOCKET);
}

/* "listen web :80": the form of old files. */
int bind_section_args(struct kw_call *c)
{
        kw_warn(c, &c->args[0], "W0212",
                "an address on the section line is taken as 'bind %.*s': the 'bind' keyword is the form to use.",
                (int)c->args[0].text.n, c->args[0].text.p);
        return parse_line(c, KIND_BIND);
}

/* ---- words ---- */

static int mode_parse(struct kw_call *c)
{
        struct bind_cfg *b = c->slot;
        struct str s = c->n_args ? c->args[0].text : STR("");
        int mode = 0;

        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] < '0' || s.p[i] > '7' || mode > 07777)
                        mode = INT32_MAX / 8;
                else
                        mode = mode * 8 + (s.p[i] - '0');
        }
        if (s.n == 0 || mode > 07777) {
                kw_fail(c, c->n_args ? &c->args[0] : NULL, "E0213",
                        "'mode' : missing or invalid mode '%.*s' (octal integer expected)", (int)s.n, s.p);
                return -1;
        }
        b->spec.unix_mode = mode;
        return 1;
}

static void mode_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct bind_cfg *b = slot;

        if (b->spec.unix_mode >= 0)
                buf_printf(out, " %s %o", kw->name, (unsigned)b->spec.unix_mode);
}

static bool for_group(const struct kw *kw)
{
        return kw->name[0] == 'g';
}

static int account_parse(struct kw_call *c)
{
        struct bind_cfg *b = c->slot;
        const char *name;
        int id = -1;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'%s' : missing %s name", c->kw->name, for_group(c->kw) ? "group" : "user");
                return -1;
        }
        name = conf_intern(c->conf, c->args[0].text);
        if (lookup_user(c->conf, name, for_group(c->kw), &id) < 0) {
                kw_fail(c, &c->args[0], "E0201", "'%s' : unknown %s name '%s'", c->kw->name,
                        for_group(c->kw) ? "group" : "user", name);
                return -1;
        }
        *(for_group(c->kw) ? &b->unix_group : &b->unix_user) = name;
        *(for_group(c->kw) ? &b->spec.unix_gid : &b->spec.unix_uid) = id;
        return 1;
}

static void account_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct bind_cfg *b = slot;
        const char *name = for_group(kw) ? b->unix_group : b->unix_user;

        if (name) {
                buf_printf(out, " %s ", kw->name);
                kw_quote(out, name);
        }
}

static int id_parse(struct kw_call *c)
{
        struct bind_cfg *b = c->slot;
        int64_t v = 0;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'%s' : missing value", c->kw->name);
                return -1;
        }
        if (!kw_arg_int(c, &c->args[0], 0, INT32_MAX, &v))
                return -1;
        *(for_group(c->kw) ? &b->spec.unix_gid : &b->spec.unix_uid) = (int)v;
        *(for_group(c->kw) ? &b->unix_group : &b->unix_user) = NULL;
        return 1;
}

static void id_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct bind_cfg *b = slot;
        int id = for_group(kw) ? b->spec.unix_gid : b->spec.unix_uid;

        if (id >= 0 && !(for_group(kw) ? b->unix_group : b->unix_user))
                buf_printf(out, " %s %d", kw->name, id);
}

static int interface_parse(struct kw_call *c)
{
        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'interface' : missing interface name");
                return -1;
        }
        ((struct bind_cfg *)c->slot)->spec.interface = conf_intern(c->conf, c->args[0].text);
        return 1;
}

static void interface_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct bind_cfg *b = slot;

        if (b->spec.interface) {
                buf_printf(out, " %s ", kw->name);
                kw_quote(out, b->spec.interface);
        }
}

static int mss_parse(struct kw_call *c)
{
        int64_t v = 0;

        if (c->n_args == 0 || !str_to_i64(c->args[0].text, &v) || v == 0 || v > 65535 || v < -65535) {
                kw_fail(c, c->n_args ? &c->args[0] : NULL, "E0214",
                        "'mss' : expects an MSS with and absolute value between 1 and 65535");
                return -1;
        }
        if (v < 0)
                kw_warn(c, &c->args[0], "W0219",
                        "a negative 'mss' has no effect: Linux takes the value and does not use it.");
        ((struct bind_cfg *)c->slot)->spec.mss = v < 0 ? 0 : (int)v;
        return 1;
}

static void mss_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct bind_cfg *b = slot;

        if (b->spec.mss)
                buf_printf(out, " %s %d", kw->name, b->spec.mss);
}

/* Presence words whose value is a number for the kernel. */
static int number_word_parse(struct kw_call *c)
{
        struct bind_cfg *b = c->slot;

        if (strcmp(c->kw->name, "tfo") == 0)
                b->spec.tcp_fastopen = TFO_QUEUE;
        else
                b->spec.defer_accept = 1;
        return 0;
}

static void number_word_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct bind_cfg *b = slot;

        if (strcmp(kw->name, "tfo") == 0 ? b->spec.tcp_fastopen : b->spec.defer_accept)
                buf_printf(out, " %s", kw->name);
}

static int number_parse(struct kw_call *c)
{
        int64_t v = 0;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'id' : expects an integer argument");
                return -1;
        }
        if (!str_to_i64(c->args[0].text, &v)) {
                kw_fail(c, &c->args[0], "E0111", "'id' : expects an integer argument, found '%.*s'",
                        (int)c->args[0].text.n, c->args[0].text.p);
                return -1;
        }
        if (v <= 0 || v > INT32_MAX) {
                kw_fail(c, &c->args[0], "E0112", "'id' : custom id has to be > 0");
                return -1;
        }
        ((struct bind_cfg *)c->slot)->id = (int)v;
        return 1;
}

static void number_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct bind_cfg *b = slot;

        if (b->id)
                buf_printf(out, " %s %d", kw->name, b->id);
}

static const struct kw_val levels[] = {
        { "user", CLI_USER }, { "operator", CLI_OPERATOR }, { "admin", CLI_ADMIN }, { NULL, 0 }
};

static const struct kw_val exposed[] = { { "listeners", 1 }, { NULL, 0 } };

static const struct kw rows[] = {
        KW_STR("name", struct bind_cfg, name, .apply = KW_LIVE, .min = 1, .manual = "5.1", .args = "<name>",
               .help = "name of the listener in statistics"),
        KW_FN("id", number_parse, number_dump, .apply = KW_LIVE, .kinds = KIND_BIND, .manual = "5.1",
              .args = "<number>", .sample = "7", .help = "number of the listener in its section (so_id)"),
        KW_TIME("tcp-ut", struct bind_cfg, spec.tcp_ut_ms, .min = 1, .apply = KW_NEW, .manual = "5.1", .args = "<time>",
                .help = "a client that acknowledges nothing for this long is given up"),
        KW_REFUSE("namespace", "network namespaces are not supported", .manual = "5.1", .args = "<name>",
                  .sample = "ns1", .help = "network namespace of the listener"),
        KW_INT("maxconn", struct bind_cfg, maxconn, 0, INT32_MAX, .apply = KW_NEW, .manual = "5.1", .args = "<number>",
               .help = "connections on this listener; 0: the frontend's limit alone"),
        KW_INT("backlog", struct bind_cfg, spec.backlog, 1, INT32_MAX, .apply = KW_NEW, .manual = "5.1",
               .args = "<number>", .help = "length of the kernel's queue of connections not yet accepted"),
        KW_FLAG("v4v6", struct bind_cfg, spec.v4v6, .apply = KW_NEW, .manual = "5.1",
                .help = "an IPv6 wildcard takes IPv4 connections, too"),
        KW_FLAG("v6only", struct bind_cfg, spec.v6only, .apply = KW_NEW, .manual = "5.1",
                .help = "an IPv6 wildcard takes IPv6 connections only"),
        KW_FLAG("accept-proxy", struct bind_cfg, accept_proxy, .kinds = KIND_BIND, .apply = KW_NEW, .manual = "5.1",
                .help = "each connection begins with the PROXY protocol's head, version 1 or 2; who sends none is cut off"),
        KW_FLAG("transparent", struct bind_cfg, spec.transparent, .apply = KW_NEW, .manual = "5.1",
                .help = "accepts connections for foreign addresses"),
        KW_FN("interface", interface_parse, interface_dump, .apply = KW_NEW, .manual = "5.1", .args = "<interface>",
              .sample = "lo", .help = "only connections that come in here"),
        KW_FN("mss", mss_parse, mss_dump, .apply = KW_NEW, .manual = "5.1", .args = "<bytes>", .sample = "1400",
              .help = "largest TCP segment"),
        KW_FN("tfo", number_word_parse, number_word_dump, .apply = KW_NEW, .manual = "5.1", .sample = "",
              .help = "TCP fast open"),
        KW_FN("defer-accept", number_word_parse, number_word_dump, .apply = KW_NEW, .manual = "5.1", .sample = "",
              .help = "the kernel hands a connection over when it has data"),
        KW_FN("user", account_parse, account_dump, .apply = KW_NEW, .manual = "5.1", .args = "<user>", .sample = "root",
              .help = "owner of a unix socket"),
        KW_FN("group", account_parse, account_dump, .apply = KW_NEW, .manual = "5.1", .args = "<group>",
              .sample = "root", .help = "group of a unix socket"),
        KW_FN("uid", id_parse, id_dump, .apply = KW_NEW, .manual = "5.1", .args = "<number>", .sample = "1000",
              .help = "owner of a unix socket, as a number"),
        KW_FN("gid", id_parse, id_dump, .apply = KW_NEW, .manual = "5.1", .args = "<number>", .sample = "1000",
              .help = "group of a unix socket, as a number"),
        KW_FN("mode", mode_parse, mode_dump, .apply = KW_NEW, .manual = "5.1", .args = "<octal>", .sample = "660",
              .help = "permissions of a unix socket"),
        KW_ENUM("level", struct bind_cfg, level, levels, .apply = KW_NEW, .manual = "5.1",
                .args = "user | operator | admin", .help = "what runtime commands on this socket may do"),
        KW_ENUM("expose-fd", struct bind_cfg, expose_fd, exposed, .apply = KW_NEW, .kinds = KIND_STATS_SOCKET,
                .manual = "5.1", .args = "listeners",
                .help = "who may connect to this unix socket may have all listening sockets (-x of the next process)"),
        KW_NONE("nice", "connections are served in the order in which they become ready", .max = 1, .manual = "5.1",
                .args = "<number>", .help = "priority of this listener's tasks"),
};

/* Two bind lines on one socket address inside a frontend would split its connections at random. */
static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        struct bind_cfg *b = slot;
        struct diag *g;
        int before = 0;

        (void)c;
        for (const struct conf_obj *k = o->parent->child; k != o; k = k->sibling) {
                const struct bind_cfg *other = k->kind == o->kind ? conf_slot(k, bind_slot) : NULL;

                before += other ? other->count : 0;
                if (!other || b->id == 0 || other->id != b->id)
                        continue;
                g = diag_add(d, DIAG_ALERT, o->at, "E0243",
                             "'bind %s' in section '%s' : 'id' : custom id %d already used at line %u ('bind %s')",
                             o->name, o->parent->kind->name, b->id, k->at.line, k->name);
                g->parsing = true;
                break;
        }
        b->number = b->id ? b->id : before + 1;
        if (b->spec.v4v6 && b->spec.v6only)
                diag_add(d, DIAG_WARNING, o->at, "W0215", "'bind %s' : 'v6only' is ignored beside 'v4v6'.", o->name);
}

KW_TABLE(bind, KIND_ANY_BIND, struct bind_cfg, rows, .defaults = &defaults, .check = check);
