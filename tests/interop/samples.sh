#!/bin/sh
# Is each sample what HAProxy says it is? Expressions of samples.tsv over generated messages, seed and number by SAMPLES_SEED, SAMPLES_CASES.
exec /usr/bin/python3 "$(dirname "$0")/samples.py" "$@"
