#!/bin/sh
# HTTP/1 framing against the real binary; python3-h11 and nginx read what it forwards.
exec /usr/bin/python3 "$(dirname "$0")/framing.py"
