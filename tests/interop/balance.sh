#!/bin/sh
# Does every key go where HAProxy sends it? 10,000 keys a kind; HAPROXY_ORACLE=/path/to/haproxy compares with another version.
cd "$(dirname "$0")/../.." || exit 1
BALANCE_KEYS=10000 exec python3 tests/py/test_balance.py
