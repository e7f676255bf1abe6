# Shared by the action's steps; sourced. Runs under bash 3.2 (macOS), 5 (Linux) and Git for Windows.
# shellcheck shell=bash
#
# What comes from the event, the inputs or the repository is hostile text: it is checked against a grammar before it is
# used, and `shown` before it is printed, because a line of the log can be a command to the runner.

set -euo pipefail
export LC_ALL=C

# A hostile text as one harmless line of at most 120 bytes: nothing in it can start a workflow command.
shown() {
    printf '%s' "${1:0:4096}" | tr -c 'A-Za-z0-9._/@+=~^ -' '?' | cut -c 1-120
}

# The output of a tool as log lines: no control characters, and neither `::` nor `##[` is left in them.
log_of() {
    tr '\r' '\n' | tr -cd '\11\12\40-\176' | sed -e 's/::/: :/g' -e 's/##\[/# #[/g' -e 's/^/  /' -e '41,$d'
}

say() {
    printf 'portcullis: %s\n' "$1"
}

# Ends the step. 2: an input or the set-up is wrong; 3: nothing can be decided.
fail() {
    # To standard error, which the runner reads just so: standard output may be somebody's value.
    printf '::error title=portcullis::%s\n' "$2" >&2
    exit "$1"
}

# A value for a later step. All values are single lines by construction; another one would be another output.
output() {
    case "$2" in
    *$'\n'* | *$'\r'*) fail 3 "the output $1 has more than one line" ;;
    esac
    printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

matches() {
    # Only whole, single-line texts match.
    case "$1" in
    *$'\n'* | *$'\r'*) return 1 ;;
    esac
    [[ $1 =~ $2 ]]
}

is_commit() {
    matches "$1" '^([0-9a-f]{40}|[0-9a-f]{64})$'
}

is_zero() {
    matches "$1" '^0+$'
}

is_number() {
    matches "$1" '^[1-9][0-9]{0,9}$'
}

# The grammar of git check-ref-format, and no leading dash.
is_branch() {
    case "$1" in
    '' | -*) return 1 ;;
    esac
    [ "${#1}" -le 255 ] && git check-ref-format "refs/heads/$1"
}

is_one_of() {
    local value=$1 word
    shift
    for word in "$@"; do
        [ "$value" = "$word" ] && return 0
    done
    return 1
}

need_word() {
    local name=$1 value=$2
    shift 2
    is_one_of "$value" "$@" || fail 2 "input $name: $(shown "$value") is none of: $*"
}

# A path as both bash and native programs understand it (on Windows: D:/a/b).
native() {
    if [ "${RUNNER_OS:-}" = Windows ]; then
        cygpath -m "$1"
    else
        printf '%s\n' "$1"
    fi
}

sha256_of() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum <"$1" | cut -d ' ' -f 1
    else
        shasum -a 256 <"$1" | cut -d ' ' -f 1
    fi
}

# One digest of all files of a folder: of the lines `<sha256>  <path>`, in the order of their bytes.
sha256_of_folder() {
    local list
    list=$(mktemp "$temp/list.XXXXXX")
    (cd "$1" && find . -type f | sort | while IFS= read -r file; do
        printf '%s  %s\n' "$(sha256_of "$file")" "$file"
    done) >"$list"
    sha256_of "$list"
    rm -f "$list"
}

workspace=$(native "$GITHUB_WORKSPACE")
# shellcheck disable=SC2034
action=$(native "$GITHUB_ACTION_PATH")
# Everything of ours stands below the runner's temporary folder, never in the judged checkout.
temp=$(native "$RUNNER_TEMP")/portcullis
case "$temp/" in
"$workspace"/*) fail 2 'the temporary folder of the runner lies in the workspace, where head could reach it' ;;
esac
mkdir -p "$temp"
event=${GITHUB_EVENT_NAME:-}

# Takes git's variables out of the environment: those of the job, and later our own.
forget_git() {
    local name
    for name in $(compgen -e); do
        case "$name" in
        GIT_*) unset "$name" ;;
        esac
    done
}

# Git for this repository alone: nothing from the job's environment, no hooks, no helpers, no prompts, no other
# protocol than the server's, no submodules, no bare repository that a checkout happens to contain.
isolate_git() {
    forget_git
    export GIT_TERMINAL_PROMPT=0 GIT_NO_LAZY_FETCH=1 GIT_NO_REPLACE_OBJECTS=1 GIT_ADVICE=0
    GIT_CONFIG_COUNT=0
    export GIT_CONFIG_COUNT
    configure core.hooksPath /dev/null
    configure core.fsmonitor false
    configure credential.helper ''
    configure safe.directory '*'
    configure safe.bareRepository explicit
    configure gc.auto 0
    configure maintenance.auto false
    configure submodule.recurse false
    configure fetch.recurseSubmodules false
    configure protocol.allow never
    # A server that stops answering ends the step, in place of the job's own limit.
    configure http.lowSpeedLimit 1000
    configure http.lowSpeedTime 60
    # Older ones do not read configuration from the environment, and would run hooks.
    [ "$(git config --get core.hooksPath 2>/dev/null)" = /dev/null ] || fail 2 'git 2.31 or newer is needed'
}

# Configuration by environment: a value in the arguments would be seen by every process of the machine.
configure() {
    export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=$1" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=$2"
    GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
}

# The top folder of the checkout that is judged. Found by git, so that a folder of head that looks like a bare
# repository is not taken for one.
find_checkout() {
    local folder=$1 top
    case "$folder" in
    *$'\n'* | *$'\r'*) fail 2 'input working-directory: more than one line' ;;
    /* | ?:*) folder=$(native "$folder") ;;
    *) folder=$workspace/$folder ;;
    esac
    [ -d "$folder" ] || fail 2 "input working-directory: $(shown "$1") is no folder of the workspace"
    top=$(git -C "$folder" rev-parse --show-toplevel 2>/dev/null) ||
        fail 2 'no checkout: use actions/checkout before this action, and name its folder in working-directory'
    native "$top"
}

# The events on which a pull request's author, or who queues it, decides what runs beside this job.
is_pull() {
    is_one_of "$event" pull_request pull_request_target pull_request_review pull_request_review_comment merge_group workflow_run
}
