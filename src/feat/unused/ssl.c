/* feat/unused/ssl.c - defaults of section global for TLS. `ssl` on a bind or server line is refused until TLS has come, so nothing uses
 * them, and nothing that they ask for is missed by anybody: Debian's own file has some. */
#include "feat/unused/unused.h"

#define NO_TLS        "no bind or server line can say `ssl` yet"
#define TLS(n, a, h)  UNUSED(n, NO_TLS, h, .manual = "3.1", .args = a)
#define TUNE(n, a, h) UNUSED(n, NO_TLS, h, .manual = "3.2", .args = a)

static const struct kw rows[] = {
        TLS("ca-base", "<directory>", "folder of CA files and CRLs"),
        TLS("crt-base", "<directory>", "folder of certificates"),
        TLS("key-base", "<directory>", "folder of private keys"),
        TLS("issuers-chain-path", "<directory>", "folder of issuers' certificates"),
        TLS("ssl-default-bind-ciphers", "<ciphers>", "ciphers of bind lines up to TLS 1.2"),
        TLS("ssl-default-bind-ciphersuites", "<suites>", "cipher suites of bind lines, TLS 1.3"),
        TLS("ssl-default-bind-client-sigalgs", "<algorithms>", "signatures asked of clients"),
        TLS("ssl-default-bind-curves", "<curves>", "curves of bind lines"),
        TLS("ssl-default-bind-options", "<option>...", "TLS words of bind lines"),
        TLS("ssl-default-bind-sigalgs", "<algorithms>", "signatures of bind lines"),
        TLS("ssl-default-server-ciphers", "<ciphers>", "ciphers of server lines up to TLS 1.2"),
        TLS("ssl-default-server-ciphersuites", "<suites>", "cipher suites of server lines, TLS 1.3"),
        TLS("ssl-default-server-client-sigalgs", "<algorithms>", "signatures of our certificates"),
        TLS("ssl-default-server-curves", "<curves>", "curves of server lines"),
        TLS("ssl-default-server-options", "<option>...", "TLS words of server lines"),
        TLS("ssl-default-server-sigalgs", "<algorithms>", "signatures of server lines"),
        TLS("ssl-dh-param-file", "<file>", "Diffie-Hellman parameters of bind lines"),
        TLS("ssl-load-extra-del-ext", "", "how files beside a certificate are named"),
        TLS("ssl-load-extra-files", "<kind>...", "which files beside a certificate are read"),
        TLS("ssl-mode-async", "", "hands computing to an engine"),
        TLS("ssl-security-level", "<number>", "what the library lets pass"),
        TLS("ssl-server-verify", "{ none | required }", "whether servers' certificates are verified"),
        TLS("ssl-skip-self-issued-ca", "", "leaves root certificates out of chains"),
        TLS("maxsslconn", "<number>", "TLS connections of the whole process"),
        TLS("maxsslrate", "<number>", "TLS sessions a second of the whole process"),
        TLS("noktls", "", "keeps TLS out of the kernel"),
        TLS("ocsp-update.disable", "{ on | off }", "turns updates of OCSP answers off"),
        TLS("ocsp-update.httpproxy", "<address>", "where questions to OCSP go through"),
        TLS("ocsp-update.maxdelay", "<seconds>", "time between two updates at most"),
        TLS("ocsp-update.mindelay", "<seconds>", "time between two updates at least"),
        TLS("ocsp-update.mode", "{ on | off }", "updates OCSP answers"),
        TUNE("tune.ssl.cachesize", "<number>", "blocks of the session cache"),
        TUNE("tune.ssl.capture-buffer-size", "<number>", "bytes kept of a ClientHello"),
        TUNE("tune.ssl.capture-cipherlist-size", "<number>", "bytes kept of a ClientHello, the old word"),
        TUNE("tune.ssl.certificate-compression", "{ auto | off }", "compresses certificates"),
        TUNE("tune.ssl.default-dh-param", "<bits>", "size of Diffie-Hellman keys"),
        TUNE("tune.ssl.force-private-cache", "", "a session cache for each process"),
        TUNE("tune.ssl.hard-maxrecord", "<number>", "bytes of a TLS record, always"),
        TUNE("tune.ssl.keylog", "{ on | off }", "keeps keys for analysis"),
        TUNE("tune.ssl.lifetime", "<time>", "how long a session may be resumed"),
        TUNE("tune.ssl.maxrecord", "<number>", "bytes of a TLS record at the beginning"),
        TUNE("tune.ssl.ocsp-update.maxdelay", "<seconds>", "time between two updates at most, the old word"),
        TUNE("tune.ssl.ocsp-update.mindelay", "<seconds>", "time between two updates at least, the old word"),
        TUNE("tune.ssl.ssl-ctx-cache-size", "<number>", "certificates made by ourselves that are kept"),
};

KW_TABLE(unused_ssl, KIND_GLOBAL, struct unused_cfg, rows);
