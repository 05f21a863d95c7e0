/* proto/tls_hello.h - the first message of a TLS connection, read in passing: who does not terminate it can still route by it
 * (RFC 8446 4.1.2, RFC 6066 3, RFC 7301 3.1, RFC 5077 3.2; HAProxy's manual 7.3.5).
 *
 * Read is what lies in the first record: a hello cut into several records shows what its first one holds. Pure.
 * Ownership: everything borrows from the input; p NULL: it is not there.  Errors: none; any bytes may come. */
#ifndef PROTO_TLS_HELLO_H
#define PROTO_TLS_HELLO_H

#include "base/assert.h"
#include "base/str.h"

enum tls_hello_verdict {
        TLS_HELLO_OK,   /* a handshake message, its record complete */
        TLS_HELLO_MORE, /* may become one */
        TLS_HELLO_NOT,
};

enum { TLS_HELLO_CLIENT = 1, TLS_HELLO_SERVER = 2 };

struct tls_hello {
        uint8_t type;     /* of the handshake message; 0: an SSLv2 hello, of which there is only the version */
        uint16_t version; /* 0x0303: that the hello says, not its record */
        /* TLS_HELLO_CLIENT: */
        struct str session_id;
        struct str ciphers;     /* two bytes each */
        bool extensions;        /* it has the block of them at all */
        struct str server_name; /* the host name, never empty */
        struct str alpn;        /* the first protocol it would like */
        struct str groups;      /* supported groups, two bytes each */
        struct str sigalgs;     /* two bytes each */
        struct str key_shares;  /* the extension's list: group, length, key */
        struct str ticket;      /* of the session ticket extension, may be empty */
};

must_check enum tls_hello_verdict tls_hello(struct str in, struct tls_hello *ret_hello);

/* The groups of h->key_shares, two bytes each, as many as fit; how many bytes. */
size_t tls_hello_share_groups(const struct tls_hello *h, char *to, size_t room);

#endif
