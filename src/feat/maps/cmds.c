/* feat/maps/cmds.c - ACLs and maps at run time (management.txt 9.3): show, get, add, del, set, clear, prepare, commit.
 *
 * Changes end with the configuration, so nothing of them is journalled. */
#include "core/cli.h"
#include "core/pat.h"
#include "core/proxy.h"

enum { SOME = 200, LINES_MAX = 100000 };

static bool is_map(const struct cli_call *c)
{
        return str_is(c->args[1], "map");
}

static const char *what(const struct cli_call *c) /* as the messages write it */
{
        return is_map(c) ? "map" : "ACL";
}

struct target {
        struct pat_ref *ref;
        bool has_version;
        uint32_t version;
        unsigned next; /* the word behind the name */
};

/* "[@<ver>] <name>" from the third word on. False: said why. */
static bool take_target(struct cli_call *c, struct target *ret_t)
{
        struct target t = { .next = 2 };
        uint64_t v;

        if (c->n_args > 2 && c->args[2].n > 1 && c->args[2].p[0] == '@') {
                if (!str_to_u64(str_sub(c->args[2], 1, c->args[2].n - 1), &v) || v > UINT32_MAX) {
                        cli_msg(c, 3, "Invalid version number.\n");
                        return false;
                }
                t.has_version = true;
                t.version = (uint32_t)v;
                t.next++;
        }
        t.ref = t.next < c->n_args ? pat_ref_find(world.conf, c->args[t.next], is_map(c)) : NULL;
        if (!t.ref) {
                cli_msg(c, 3, "Unknown %s identifier. Please use #<id> or <file>.\n", what(c));
                return false;
        }
        t.next++;
        if (!t.has_version)
                t.version = pat_version(t.ref);
        *ret_t = t;
        return true;
}

/* ---- show ---- */

struct listing {
        struct target t;
        const void *pos;
};

static void list_sets(struct cli_call *c)
{
        buf_puts(c->out, "# id (file) description\n");
        for (struct pat_ref *r = NULL; (r = pat_ref_next(world.conf, r, is_map(c))) != NULL;)
                pat_describe(r, c->out);
}

static void show(struct cli_call *c)
{
        struct listing *l;
        struct target t;

        if (c->n_args < 3) {
                list_sets(c);
                return;
        }
        if (!take_target(c, &t))
                return;
        l = arena_alloc(c->mem, sizeof(*l));
        l->t = t;
        c->state = l;
}

static bool show_more(struct cli_call *c)
{
        struct listing *l = c->state;

        /* A reload may have taken the set meanwhile. */
        return l && pat_ref_find(world.conf, c->args[l->t.next - 1], is_map(c)) == l->t.ref &&
               pat_list(l->t.ref, l->t.version, &l->pos, SOME, c->out);
}

static void look_up(struct cli_call *c)
{
        struct target t;

        if (c->n_args < 4) {
                cli_msg(c, 3, "Missing %s identifier and/or key.\n", what(c));
                return;
        }
        if (take_target(c, &t) && t.next < c->n_args)
                pat_explain(t.ref, c->args[t.next], c->out);
}

/* ---- change ---- */

static bool add_one(struct cli_call *c, const struct target *t, struct str key, struct str value)
{
        char why[PAT_WHY_MAX] = "";

        if (pat_add(t->ref, t->version, key, value, why))
                return true;
        cli_msg(c, 3, "%s.\n", why);
        return false;
}

/* "key value with blanks" on each line. */
static void add_lines(struct cli_call *c, const struct target *t, struct str text)
{
        for (unsigned n = 0; text.n && n < LINES_MAX; n++) {
                const char *end = memchr(text.p, '\n', text.n);
                struct str line = str_sub(text, 0, end ? (size_t)(end - text.p) : text.n), key = str_trim(line);
                size_t k = 0;

                text = str_sub(text, line.n + (end != NULL), text.n - line.n - (end != NULL));
                line = key;
                while (k < line.n && line.p[k] != ' ' && line.p[k] != '\t')
                        k++;
                key = str_sub(line, 0, k);
                if (k && !add_one(c, t, key, str_trim(str_sub(line, k, line.n - k))))
                        return;
        }
}

static void add(struct cli_call *c)
{
        bool map = is_map(c);
        unsigned need = c->n_args > 2 && c->args[2].n && c->args[2].p[0] == '@' ? 4 : 3;
        struct target t;

        if (map && c->n_args < need + (c->payload.n ? 0u : 2u)) {
                cli_msg(c, 3,
                        "'add map' expects three parameters (map identifier, key and value) or one parameter (map identifier) "
                        "and a payload\n");
                return;
        }
        if (!map && c->n_args < need + 1) {
                cli_msg(c, 3, "'add acl' expects two parameters: ACL identifier and pattern.\n");
                return;
        }
        if (!take_target(c, &t))
                return;
        if (t.version - pat_version(t.ref) > pat_next_version(t.ref) - pat_version(t.ref))
                cli_msg(c, 3, "Version number in the future, please use 'prepare %s' before.\n", map ? "map" : "acl");
        else if (!map && pat_ref_is_map(t.ref))
                cli_msg(c, 3,
                        "This ACL is shared with a map containing samples. You must use the command 'add map' to add values.\n");
        else if (map && c->payload.n)
                add_lines(c, &t, c->payload);
        else
                (void)add_one(c, &t, c->args[t.next], map ? c->args[t.next + 1] : (struct str){ "", 0 });
}

static void del(struct cli_call *c)
{
        struct target t;

        if (c->n_args < 4)
                cli_msg(c, 3, "This command expects two parameters: %s identifier and key.\n", what(c));
        else if (take_target(c, &t) &&
                 pat_del(t.ref, t.next < c->n_args ? c->args[t.next] : (struct str){ "", 0 }) == 0)
                cli_msg(c, 3, "Key not found.\n");
}

static void set(struct cli_call *c)
{
        char why[PAT_WHY_MAX] = "";
        struct target t;
        int n;

        if (c->n_args < 5) {
                cli_msg(c, 3, "'set map' expects three parameters: map identifier, key and value.\n");
                return;
        }
        if (!take_target(c, &t) || t.next + 1 >= c->n_args)
                return;
        n = pat_set(t.ref, c->args[t.next], c->args[t.next + 1], why);
        if (n <= 0)
                cli_msg(c, 3, "%s.\n", n ? why : "entry not found");
}

static void clear(struct cli_call *c)
{
        struct target t;

        if (c->n_args < 3)
                cli_msg(c, 3, "Missing %s identifier.\n", what(c));
        else if (take_target(c, &t))
                pat_clear(t.ref, t.version);
}

static void prepare(struct cli_call *c)
{
        struct target t;

        if (c->n_args < 3)
                cli_msg(c, 3, "Missing %s identifier.\n", what(c));
        else if (take_target(c, &t))
                cli_msg(c, 6, "New version created: %u\n", pat_prepare(t.ref));
}

static void commit(struct cli_call *c)
{
        struct target t;

        if (c->n_args < 3 || c->args[2].n == 0 || c->args[2].p[0] != '@')
                cli_msg(c, 3, "Missing version number.\n");
        else if (!take_target(c, &t))
                return;
        else if (t.version - pat_version(t.ref) > pat_next_version(t.ref) - pat_version(t.ref))
                cli_msg(c, 3, "Version number out of range.\n");
        else
                pat_commit(t.ref, t.version);
}

#define CMD(id, w, a, h, lvl, ...)                                                                                     \
        static const struct cli_cmd id = { .words = w, .args = a, .help = h, .level = lvl, __VA_ARGS__ };              \
        CLI_CMD(id)

CMD(show_acl, "show acl", "[[@<ver>] <acl>]", "lists the ACL files, or the patterns of one", CLI_OPERATOR, .run = show,
    .more = show_more);
CMD(show_map, "show map", "[[@<ver>] <map>]", "lists the maps, or the entries of one", CLI_OPERATOR, .run = show,
    .more = show_more);
CMD(get_acl, "get acl", "<acl> <value>", "does the value match, and which pattern", CLI_OPERATOR, .run = look_up);
CMD(get_map, "get map", "<map> <value>", "what a map says to a value", CLI_OPERATOR, .run = look_up);
CMD(add_acl, "add acl", "[@<ver>] <acl> <pattern>", "adds a pattern to an ACL file's set", CLI_ADMIN, .run = add);
CMD(add_map, "add map", "[@<ver>] <map> <key> <value>", "adds an entry to a map; several by a payload", CLI_ADMIN,
    .run = add);
CMD(del_acl, "del acl", "<acl> <key>|#<ref>", "takes patterns out of an ACL file's set", CLI_ADMIN, .run = del);
CMD(del_map, "del map", "<map> <key>|#<ref>", "takes entries out of a map", CLI_ADMIN, .run = del);
CMD(set_map, "set map", "<map> <key>|#<ref> <value>", "changes the value of a map's entries", CLI_ADMIN, .run = set);
CMD(clear_acl, "clear acl", "[@<ver>] <acl>", "empties an ACL file's set", CLI_ADMIN, .run = clear);
CMD(clear_map, "clear map", "[@<ver>] <map>", "empties a map", CLI_ADMIN, .run = clear);
CMD(prepare_acl, "prepare acl", "<acl>", "begins a new version of an ACL file's set", CLI_ADMIN, .run = prepare);
CMD(prepare_map, "prepare map", "<map>", "begins a new version of a map", CLI_ADMIN, .run = prepare);
CMD(commit_acl, "commit acl", "@<ver> <acl>", "makes a version of an ACL file's set the current one", CLI_ADMIN,
    .run = commit);
CMD(commit_map, "commit map", "@<ver> <map>", "makes a version of a map the current one", CLI_ADMIN, .run = commit);
