/* ext/val.h - the small value tree that JSON and YAML documents become.
 *
 * Why: features that read the outside's documents (Kubernetes, Patroni, a stats page) see one shape, whatever the text
 * was written in, and no library's types.
 * Ownership: the tree and its strings belong to the arena it was made in. Strings are UTF-8, NUL-terminated one byte
 * after their length, without NUL inside.
 * Errors: none; asking for what is not there answers NULL, the empty string or the default, so that questions nest:
 * val_text(val_get(val_get(pod, "metadata"), "name")). */
#ifndef EXT_VAL_H
#define EXT_VAL_H

#include "base/arena.h"
#include "base/assert.h"

#define VAL_DEPTH 64 /* of lists and maps in each other; deeper documents are refused */

enum val_type { VAL_NULL, VAL_BOOL, VAL_INT, VAL_REAL, VAL_STR, VAL_LIST, VAL_MAP };

struct val {
        enum val_type type;
        uint32_t n; /* of items or fields */
        union {
                bool b;
                int64_t i;
                double r;
                struct str s;
                const struct val *items;
                const struct val_field *fields; /* in the document's order; keys are different */
        };
};

struct val_field {
        struct str key;
        struct val val;
};

struct val_err {               /* why a document was refused, for a log line */
        unsigned line, column; /* from 1; 0 = unknown */
        char text[160];
};

const struct val *val_get(const struct val *v, const char *key);     /* of a map; NULL: no map or no such key */
const struct val *val_at(const struct val *v, uint32_t i);           /* of a list; NULL: no list or too short */
struct str val_text(const struct val *v);                            /* of a string; else empty */
int64_t val_int(const struct val *v, int64_t other);                 /* of an integer; else `other` */
bool val_bool(const struct val *v, bool other);                      /* of a boolean; else `other` */
void val_set_str(struct arena *mem, struct val *v, struct str text); /* makes v a string, with a copy of text */

#endif
