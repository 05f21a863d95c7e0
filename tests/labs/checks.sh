#!/bin/sh
# Health checks against the services themselves: MariaDB, PostgreSQL, Redis, slapd, an SMTP server, OpenSSL; and a reload of a script.
exec /usr/bin/python3 "$(dirname "$0")/checks.py"
