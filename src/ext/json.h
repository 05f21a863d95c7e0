/* ext/json.h - JSON (RFC 8259): whole small documents, and long lists item by item.
 *
 * Why the splitter: jansson does not stream, and a list of 12 MB became a tree of 131 MB. Bytes are fed as they arrive;
 * each item of the list is parsed on its own, handed over and forgotten. What stands around the list is kept and comes
 * as one small document at the end (the resourceVersion of a Kubernetes list, for instance).
 * Refused: keys that repeat, \u0000, invalid UTF-8, integers beyond 64 bits, nesting deeper than VAL_DEPTH.
 * Threads: none of its own.  Errors: -EBADMSG no valid JSON, -EMSGSIZE more bytes than allowed; ret_err says what. */
#ifndef EXT_JSON_H
#define EXT_JSON_H

#include "base/buf.h"
#include "ext/val.h"

/* ret_v lives in mem. On an error ret_err is filled (NULL is fine) and ret_v untouched. */
must_check int json_parse(struct arena *mem, struct str text, struct val *ret_v, struct val_err *ret_err);

enum json_shape {
        JSON_SEQUENCE, /* one document after the other, each an item (a Kubernetes watch) */
        JSON_LIST,     /* the document is a list */
        JSON_LIST_OF,  /* the document is a map and the list stands under one key of it */
};

struct json_split {
        /* The tree lives until the callback returns. Not 0: feeding ends with this answer. */
        int (*item)(struct json_split *s, const struct val *v);
        size_t item_max; /* bytes of one item, and of what stands around the list */
        uint64_t items;  /* handed over so far */
        struct val_err err;
        /* private */
        enum json_shape shape;
        const char *key;
        struct buf rest, cur; /* the text around the list; the item that is being read */
        struct arena mem;     /* of the item that is handed over */
        unsigned depth;
        uint8_t state, expect;
        bool in_str, escaped, in_key, first;
        int key_pos; /* bytes of `key` that the key being read has matched; -1: it is another one */
        int failed;
};

/* `key` only for JSON_LIST_OF; borrowed. */
void json_split_init(struct json_split *s, enum json_shape shape, const char *key, size_t item_max,
                     int (*item)(struct json_split *s, const struct val *v));
must_check int json_split_feed(struct json_split *s, struct str bytes); /* after an error: the same error again */
/* The input has ended: complete? ret_rest (in mem; the list is empty there) may be NULL. A JSON_SEQUENCE has no rest:
 * ret_rest becomes a null. */
must_check int json_split_end(struct json_split *s, struct arena *mem, struct val *ret_rest);
void json_split_fini(struct json_split *s);

#endif
