#!/bin/sh
# A hung thread, a crash loop, a drain that does not end: what the supervisor does about each.
exec /usr/bin/python3 "$(dirname "$0")/trouble.py"
