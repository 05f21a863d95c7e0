#!/bin/sh
# A worker in foreign hands and clients that do not read: nothing makes the supervisor wait.
exec /usr/bin/python3 "$(dirname "$0")/hostile.py"
