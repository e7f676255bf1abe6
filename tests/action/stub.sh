#!/usr/bin/env bash
# Stands in for the program: notes how it was called, and answers like the contract of `check` and `audit`.
# The folder beside which everything happens is in STUB; what it says is in the files there.
set -eu
printf '%s\n' "$@" >"$STUB/arguments.$$"
env | sort >"$STUB/environment.$$"
pwd >"$STUB/folder.$$"
case " $* " in
*' advisories update'*)
    mkdir -p "$PORTCULLIS_CACHE"
    [ ! -f "$STUB/no-update" ] || exit 3
    printf 'store of today\n' >"$PORTCULLIS_CACHE/advisories.store"
    exit 0
    ;;
esac
code=$(cat "$STUB/exit" 2>/dev/null || echo 0)
case "$code" in
0) decision=allow ;;
1) decision=deny ;;
3) decision=incomplete ;;
*) exit "$code" ;;
esac
for argument in "$@"; do
    file=${argument#--report=*=}
    case "$argument" in
    --report=json=*) printf '{"decision": "%s"}\n' "$decision" >"$file" ;;
    --report=sarif=*) printf '{"version": "2.1.0"}\n' >"$file" ;;
    --report=markdown=*) printf '## %s\n' "$decision" >"$file" ;;
    --report=human=*) { printf '%s\n' "$decision" && cat "$STUB/report" 2>/dev/null || true; } >"$file" ;;
    --report=outputs=*)
        if [ -f "$STUB/outputs" ]; then
            cp "$STUB/outputs" "$file"
        else
            printf 'decision=%s\nfindings=%s\nnew-libraries=["pkg:cargo/x@1.0.0"]\n' "$decision" "$code" >"$file"
        fi
        ;;
    esac
done
echo "portcullis: $decision"
exit "$code"
