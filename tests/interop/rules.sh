#!/bin/sh
# Do generated rules do what they do in HAProxy? Answers, what the server saw and log lines; CASES and SEED choose how many and which.
exec /usr/bin/python3 "$(dirname "$0")/rules.py" "$@"
