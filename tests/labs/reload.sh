#!/bin/sh
# Reloads under traffic that never retries: RELOADS=200 for the long run.
exec /usr/bin/python3 "$(dirname "$0")/reload.py"
