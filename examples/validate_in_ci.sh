#!/bin/sh
# A gate for continuous integration: fail the job when a .ngr file is not valid.
#
#     sh examples/validate_in_ci.sh FOLDER
#
# `pip install neuralgraph` without extras is enough; torch is not needed. Exit code 0: all valid, 1: some are not.
# JUnit reports are read by most systems; --format sarif is for code scanning.
set -eu
folder=$1
ngr validate "$folder" --format junit > ngr-report.xml || {
    ngr validate "$folder" >&2 || true
    exit 1
}
echo "valid: see ngr-report.xml"
