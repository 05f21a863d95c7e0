#!/bin/sh
# A running haproxy is replaced by telamon, and back, by -x: HAPROXY=... takes another haproxy than Debian's.
exec /usr/bin/python3 "$(dirname "$0")/takeover.py"
