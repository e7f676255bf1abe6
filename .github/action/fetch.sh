#!/usr/bin/env bash
# Brings the history that a decision needs: the protected branch's tip as it is now, what is judged, and enough of both
# to find where they part. Objects only: nothing is checked out and nothing of head is run.
#
#   pull_request, its reviews             refs/heads/<base>, and the test merge that is checked out
#   pull_request_target, workflow_run     refs/heads/<base> and refs/pull/<n>/merge, kept as refs/remotes/pull/<n>/merge
#   a merged pull request                 refs/heads/<base>, the commit it became and the one it was made against
#   merge_group                           refs/heads/<base>, the group's commit and the one it stands on
#   push                                  refs/heads/<default branch>, what was pushed and the commit before
#   schedule, dispatch                    refs/heads/<default branch>
#
# The server is asked first for what the names stand for; what is here already is not fetched. A shallow clone is
# deepened step by step until the two histories meet, and then wholly.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_word offline "$IN_OFFLINE" true false
cd "$temp"
isolate_git
top=$(find_checkout "$IN_WORKING_DIRECTORY")
log=$(mktemp "$temp/git.XXXXXX")

matches "${GITHUB_REPOSITORY:-}" '^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$' || fail 3 'GITHUB_REPOSITORY names no repository'
# The runner's own word. A file is a server only in tests.
matches "${GITHUB_SERVER_URL:-}" '^(https?|file)://[A-Za-z0-9._:/-]*$' || fail 3 'GITHUB_SERVER_URL is no address'
server=${GITHUB_SERVER_URL%/}
url=$server/$GITHUB_REPOSITORY
configure "protocol.${server%%:*}.allow" always
if [ -n "$IN_TOKEN" ]; then
    # An empty value forgets the header that the checkout may have stored: two of them are refused by the server.
    configure "http.$server/.extraheader" ''
    configure "http.$server/.extraheader" "AUTHORIZATION: basic $(printf 'x-access-token:%s' "$IN_TOKEN" | base64 | tr -d '\r\n')"
fi

in_top() {
    git -C "$top" "$@"
}

here() {
    in_top cat-file -e "$1^{commit}" 2>/dev/null
}

# The commit that a full ref name stands for on the server; nothing where there is none.
on_server() {
    in_top ls-remote --quiet "$url" "$1" 2>"$log" | awk -v name="$1" '$2 == name { print $1 }'
}

get() {
    in_top fetch --quiet --no-tags --no-recurse-submodules --no-write-fetch-head --no-auto-maintenance "$@" 2>"$log"
}

unreachable() {
    log_of <"$log"
    fail 3 "$1"
}

is_shallow() {
    [ "$(in_top rev-parse --is-shallow-repository)" = true ]
}

meet() {
    here "$1" && here "$2" && in_top merge-base "$1" "$2" >/dev/null 2>&1
}

# bring TIP HEAD REFSPEC…: makes both commits and where they part be here.
bring() {
    local tip=$1 head=$2 depth
    shift 2
    if meet "$tip" "$head"; then
        return
    fi
    [ "$IN_OFFLINE" = false ] || fail 3 'history is missing and offline is set: check out with fetch-depth: 0'
    if ! is_shallow; then
        get "$url" "$@" || unreachable 'the history cannot be fetched: does the token have contents: read?'
        return
    fi
    for depth in 50 500 5000; do
        get --depth="$depth" "$url" "$@" || unreachable 'the history cannot be fetched: does the token have contents: read?'
        if meet "$tip" "$head"; then
            say "fetched $depth commits of history"
            return
        fi
        is_shallow || return 0
    done
    get --unshallow "$url" "$@" || unreachable 'the history cannot be fetched whole: check out with fetch-depth: 0'
    say 'fetched the whole history'
}

# The protected branch as it is on the server now; sets `tip`.
protected_tip() {
    is_branch "$1" || fail 3 "the event names no branch: $(shown "$1")"
    if [ "$IN_OFFLINE" = true ]; then
        tip=$(in_top rev-parse --verify --quiet "refs/remotes/origin/$1^{commit}") ||
            fail 3 "origin/$(shown "$1") is not here and offline is set: check out with fetch-depth: 0"
        return
    fi
    tip=$(on_server "refs/heads/$1") || unreachable 'the server cannot be asked: does the token have contents: read?'
    is_commit "$tip" || fail 3 "the branch $(shown "$1") is not on the server"
}

# Names what was brought, as the program looks it up.
keep() {
    in_top update-ref --no-deref "refs/remotes/$1" "$2" || fail 3 "refs/remotes/$(shown "$1") cannot be written"
}

is_default() {
    if [ "$1" = "$DEFAULT_BRANCH" ]; then
        in_top symbolic-ref refs/remotes/origin/HEAD "refs/remotes/origin/$1"
    fi
}

against() {
    local branch=$1 head=$2
    protected_tip "$branch"
    # Both by name of commit: a branch that moves in between is not followed.
    bring "$tip" "$head" "$tip" "$head"
    keep "origin/$branch" "$tip"
    is_default "$branch"
}

# Judged without being checked out. GitHub makes the test merge some time after a push, so an old one is asked for again.
test_merge() {
    local number=$1 base=$2 expected=$3 merge='' sha='' pause
    is_number "$number" || fail 3 'the event names no pull request'
    is_branch "$base" || fail 3 "the event names no target branch: $(shown "$base")"
    if [ "$IN_OFFLINE" = true ]; then
        here "refs/remotes/pull/$number/merge" || fail 3 "offline is set and the test merge of pull request $number is not here"
        protected_tip "$base"
        bring "$tip" "refs/remotes/pull/$number/merge"
        return
    fi
    for pause in 1 2 4 0; do
        merge=$(on_server "refs/pull/$number/merge") || unreachable 'the server cannot be asked: does the token have contents: read?'
        is_commit "$merge" || fail 3 "GitHub has no test merge of pull request $number: has it conflicts, or is it closed?"
        against "$base" "$merge"
        keep "pull/$number/merge" "$merge"
        sha=$merge
        if [ -z "$expected" ] || [ "$(in_top rev-parse --verify --quiet "$merge^2")" = "$expected" ]; then
            break
        fi
        sleep "$pause"
    done
    # Findings are about this commit, though the run stands on another.
    output ref "refs/pull/$number/merge"
    output sha "$sha"
    if [ -n "$expected" ] && [ "$(in_top rev-parse --verify --quiet "$sha^2")" != "$expected" ]; then
        say "GitHub's test merge of pull request $number is not yet of $expected"
    fi
}

# A run that was started by a pull request of a fork does not say which: it is the one whose head is that commit.
pull_of() {
    in_top ls-remote --quiet "$url" 'refs/pull/*/head' 2>"$log" |
        awk -v head="$1" '$1 == head { split($2, part, "/"); print part[3] }'
}

# The runner is on the test merge, and that very commit is meant.
checked_out_merge() {
    local head=${GITHUB_SHA:-}
    is_commit "$head" || fail 3 'GITHUB_SHA names no commit'
    against "$PULL_BASE" "$head"
    if is_number "$PULL_NUMBER"; then
        keep "pull/$PULL_NUMBER/merge" "$head"
    fi
}

pull_request() {
    is_commit "$PULL_HEAD_SHA" || fail 3 'the event names no head commit'
    if is_commit "$PULL_MERGED"; then
        against "$PULL_BASE" "$PULL_MERGED"
        also "$PULL_BASE_SHA" "$PULL_MERGED" 'the commit that the pull request was made against'
    elif matches "${GITHUB_REF:-}" '^refs/pull/[0-9]+/merge$'; then
        checked_out_merge
    else
        test_merge "$PULL_NUMBER" "$PULL_BASE" "$PULL_HEAD_SHA"
    fi
}

workflow_run() {
    is_one_of "$RUN_EVENT" pull_request pull_request_target pull_request_review || return 0
    is_commit "$PULL_HEAD_SHA" || fail 3 'the event names no commit'
    if [ -n "$PULL_NUMBER" ]; then
        test_merge "$PULL_NUMBER" "$PULL_BASE" "$PULL_HEAD_SHA"
        return
    fi
    local numbers
    [ "$IN_OFFLINE" = false ] || fail 3 'the event does not say which pull request it is, and offline is set'
    numbers=$(pull_of "$PULL_HEAD_SHA") || unreachable 'the server cannot be asked: does the token have contents: read?'
    is_number "$numbers" || fail 3 "no single pull request has the head $PULL_HEAD_SHA"
    # Its target branch is not known here: the program asks the forge. The default branch is the usual one.
    test_merge "$numbers" "$DEFAULT_BRANCH" "$PULL_HEAD_SHA"
}

merge_group() {
    is_commit "$GROUP_HEAD_SHA" || fail 3 'the event names no commit of the merge group'
    against "${GROUP_BASE_REF#refs/heads/}" "$GROUP_HEAD_SHA"
    also "$GROUP_BASE_SHA" "$GROUP_HEAD_SHA" 'the commit that the group stands on'
}

push() {
    if [ -z "$PUSH_AFTER" ] || is_zero "$PUSH_AFTER"; then
        say 'the branch was deleted: nothing to fetch'
        return
    fi
    local head=${GITHUB_SHA:-}
    is_commit "$head" || fail 3 'GITHUB_SHA names no commit'
    against "$DEFAULT_BRANCH" "$head"
    # An annotated tag is an object of its own.
    if is_commit "$PUSH_AFTER" && [ "$IN_OFFLINE" = false ] && ! in_top cat-file -e "$PUSH_AFTER" 2>/dev/null; then
        # With a depth, the history of its commit would be cut again.
        get "$url" "$PUSH_AFTER" || say 'what was pushed is no longer on the server'
    fi
    # After a force push the commit before may be gone, and the program says what that means.
    also "$PUSH_BEFORE" "$head" 'the commit before the push'
}

# also OLDER HEAD WHAT: makes one more commit be here, with where the two part. That it cannot be is not an error here.
also() {
    local older=$1 head=$2 what=$3 depth
    if ! is_commit "$older" || is_zero "$older" || meet "$older" "$head"; then
        return
    fi
    if [ "$IN_OFFLINE" = true ]; then
        say "$what, $older, is not here and offline is set"
        return
    fi
    for depth in 50 500 5000; do
        # With the tip: a smaller depth than before cuts what was brought, so both have to meet again.
        if ! { if is_shallow; then get --depth="$depth" "$url" "$older" "$head" "$tip"; else get "$url" "$older"; fi; }; then
            say "$what, $older, is no longer on the server"
            return
        fi
        if { meet "$older" "$head" && meet "$tip" "$head"; } || ! is_shallow; then
            return
        fi
    done
    get --unshallow "$url" "$older" "$head" "$tip" || say "the history of $what, $older, cannot be fetched"
}

standing() {
    local branch=$DEFAULT_BRANCH
    [ -n "$branch" ] || branch=${GITHUB_REF_NAME:-}
    protected_tip "$branch"
    here "$tip" || get --depth=1 "$url" "$tip" || unreachable 'the default branch cannot be fetched'
    keep "origin/$branch" "$tip"
    in_top symbolic-ref refs/remotes/origin/HEAD "refs/remotes/origin/$branch"
}

case "$event" in
pull_request | pull_request_target | pull_request_review | pull_request_review_comment) pull_request ;;
workflow_run) workflow_run ;;
merge_group) merge_group ;;
push) push ;;
schedule | workflow_dispatch | repository_dispatch) standing ;;
# The program says that nothing is judged on it.
*) say "nothing is fetched for the event $(shown "$event")" ;;
esac
