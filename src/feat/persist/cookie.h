/* feat/persist/cookie.h - cookies in the fields of a message (RFC 6265 4.2, as servers and old clients really write them).
 *
 * Pure: bytes in, spans out.  Ownership: spans point into the field's value.  Threads: any. */
#ifndef FEAT_PERSIST_COOKIE_H
#define FEAT_PERSIST_COOKIE_H

#include "base/str.h"

struct cookie {
        struct str all;   /* name, '=', value; without blanks around it and without its separator */
        struct str value; /* p == NULL: there is no '=' */
};

/* The next cookie of this name in a Cookie field from *pos on, which moves behind it. Separators are ';' and ','. */
bool cookie_next(struct str field, struct str name, size_t *pos, struct cookie *ret_c);
enum cookie_edit {
        COOKIE_DROP,  /* the cookie goes */
        COOKIE_STRIP, /* what stands before the first '~' of its value goes */
};
/* The field with all cookies of this name edited, in `room` (twice the field's length); n == 0: nothing is left. False: there was
 * nothing to do, and *ret_field is not set. */
bool cookie_edit(struct str field, struct str name, enum cookie_edit how, char *room, struct str *ret_field);
/* The one cookie that a Set-Cookie field sets; false: it is another one. */
bool cookie_set(struct str field, struct str name, struct cookie *ret_c);

/* Dates in persistence cookies: seconds since the epoch in steps of four, 30 bits, five letters. */
#define COOKIE_DATE_LEN 5
void cookie_date_put(uint32_t s, char ret_text[COOKIE_DATE_LEN]); /* rounded up */
uint32_t cookie_date_get(struct str text);                        /* 0: none, or not one */

#endif
