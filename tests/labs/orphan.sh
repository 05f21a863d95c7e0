#!/bin/sh
# The supervisor is killed; its worker serves on until the next supervisor has taken over.
exec /usr/bin/python3 "$(dirname "$0")/orphan.py"
