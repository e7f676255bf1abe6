#!/usr/bin/env bash
# Runs the composite action's steps as GitHub's runner would, on repositories made from a history bundle.
# PORTCULLIS_DATA: the folder that holds histories/. PORTCULLIS_BIN: try the program itself too, not only a stand-in.
# Arguments are those of Python's unittest, for example: tests/action/run.sh -v Events.test_merge_group
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bundle=${PORTCULLIS_DATA:-}/histories/zizmor.bundle
if [ ! -f "$bundle" ]; then
    echo 'skipped: the composite steps were not run, for PORTCULLIS_DATA names no folder with histories/zizmor.bundle'
    exit 0
fi
python=${PORTCULLIS_PYTHON:-python3}
if ! "$python" -c 'import yaml' 2>/dev/null; then
    echo 'the tests of the composite steps need Python with PyYAML; PORTCULLIS_PYTHON may name one' >&2
    exit 1
fi
exec "$python" -B "$here/check.py" "$bundle" "$@"
