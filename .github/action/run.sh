#!/usr/bin/env bash
# Runs the program and passes on what it says: exit code, outputs, job summary and log. It decides nothing.
#
# A change is checked; where there is none (schedule, dispatch), what stands is audited.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_word offline "$IN_OFFLINE" true false
need_word comment "$IN_COMMENT" always on-findings never
isolate_git
top=$(find_checkout "$IN_WORKING_DIRECTORY")
forget_git
results=$(mktemp -d "$temp/results.XXXXXX")
# Not in the checkout: what a program finds beside it could be head's.
cd "$results"

# One line that is a value and not a flag.
need_value() {
    case "$2" in
    -* | *$'\n'* | *$'\r'*) fail 2 "input $1: $(shown "$2") is no revision or path" ;;
    esac
}

# The file of a report, below the workspace or the temporary folder; links that lead elsewhere are followed first.
report_file() {
    local folder name place
    case "$1" in
    *[[:cntrl:]]* | '' | */ | */. | */.. | . | ..) fail 2 "input reports: $(shown "$1") is no file" ;;
    /* | ?:[/\\]*) folder=$1 ;;
    *) folder=$workspace/$1 ;;
    esac
    name=${folder##*/}
    folder=${folder%/*}
    place=$(cd -P "$folder" 2>/dev/null && pwd -P) || fail 2 "input reports: there is no folder for $(shown "$1")"
    local root
    for root in "$workspace" "$(native "$RUNNER_TEMP")"; do
        root=$(cd -P "$root" && pwd -P)
        case "$place/" in
        "$root"/.git/* | "$root"/*/.git/*) ;;
        "$root"/*)
            printf '%s/%s' "$(native "$place")" "$name"
            return
            ;;
        esac
    done
    fail 2 "input reports: $(shown "$1") lies outside the workspace"
}

arguments=(--repo "$top")
if [ "$IN_OFFLINE" = true ]; then
    arguments+=(--offline)
fi
if [ -n "$IN_ADVISORIES" ]; then
    need_value advisories "$IN_ADVISORIES"
    case "$IN_ADVISORIES" in
    /* | ?:[/\\]*) ;;
    *) IN_ADVISORIES=$workspace/$IN_ADVISORIES ;;
    esac
    arguments+=(--advisories "$IN_ADVISORIES")
fi

if is_one_of "$event" schedule workflow_dispatch repository_dispatch && [ -z "$IN_BASE$IN_HEAD" ]; then
    # The commit, not the files: earlier steps may have left things lying about.
    arguments+=(audit --rev HEAD)
else
    arguments+=(check)
    if [ -n "$IN_BASE" ]; then
        need_value base "$IN_BASE"
        arguments+=("--base=$IN_BASE")
    fi
    if [ -n "$IN_HEAD" ]; then
        need_value head "$IN_HEAD"
        arguments+=("--head=$IN_HEAD")
    fi
    if [ "$IN_OFFLINE" = false ] && [ -n "${GITHUB_TOKEN:-}" ]; then
        arguments+=(--forge "--comment=$IN_COMMENT")
    fi
fi

while IFS= read -r pack; do
    [ -n "$pack" ] || continue
    matches "$pack" '^[a-z0-9][a-z0-9_-]{0,63}$' || fail 2 "input packs: $(shown "$pack") is no name of a pack"
    arguments+=("--add-pack=$pack")
done <<<"$(printf '%s' "$IN_PACKS" | tr ' ,\t\r' '\n')"

arguments+=(--report github
    "--report=json=$results/verdict.json" "--report=sarif=$results/portcullis.sarif"
    "--report=markdown=$results/summary.md" "--report=outputs=$results/outputs" "--report=human=$results/report.txt")
while IFS= read -r report; do
    report=${report%$'\r'}
    report=${report#"${report%%[![:space:]]*}"}
    [ -n "$report" ] || continue
    format=${report%%=*}
    { [ "$format" != "$report" ] && matches "$format" '^[a-z][a-z0-9-]*$'; } ||
        fail 2 "input reports: $(shown "$report") is not FORMAT=FILE"
    file=$(report_file "${report#*=}")
    arguments+=("--report=$format=$file")
done <<<"$IN_REPORTS"

if [ "$USE_STORE" = true ]; then
    export PORTCULLIS_CACHE=$temp/store
fi
if [ -z "${GITHUB_TOKEN:-}" ] || [ "$IN_OFFLINE" = true ]; then
    unset GITHUB_TOKEN
fi

code=0
"$PROGRAM" "${arguments[@]}" || code=$?

# The outputs are the program's own lines; what is not one of the three names and forms is not passed on.
pass_outputs() {
    local line
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line%$'\r'}
        if matches "$line" '^(decision=(allow|review|deny|incomplete)|findings=[0-9]{1,9}|new-libraries=\[[^[:cntrl:]]*\])$'; then
            printf '%s\n' "$line" >>"$GITHUB_OUTPUT"
        else
            say "not an output of the program: $(shown "$line")"
        fi
    done <"$results/outputs"
}

if [ -f "$results/outputs" ]; then
    pass_outputs
fi
if [ -f "$results/verdict.json" ]; then
    output verdict-file "$results/verdict.json"
fi
if [ -f "$results/portcullis.sarif" ]; then
    output sarif-file "$results/portcullis.sarif"
fi
# GitHub takes 1 MiB a step.
if [ -f "$results/summary.md" ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    if [ "$(wc -c <"$results/summary.md")" -le 1000000 ]; then
        cat "$results/summary.md" >>"$GITHUB_STEP_SUMMARY"
    else
        say 'the summary is over a megabyte and is left out'
    fi
fi
if [ -f "$results/report.txt" ]; then
    # Nothing in it is a command to the runner, whatever it says: the word that ends this is not known to head.
    word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf '::group::The whole report\n::stop-commands::%s\n' "$word"
    cat "$results/report.txt"
    printf '\n::%s::\n::endgroup::\n' "$word"
fi
exit "$code"
