#!/bin/sh
# Accept limits on four threads: bind, frontend and global maxconn, each reached and never passed.
exec /usr/bin/python3 "$(dirname "$0")/limits.py"
