#!/usr/bin/env bash
# Decides, before anything is restored or fetched: which binary (its digest is recorded beside this file), and whether
# this run may restore and save caches.
#
# A pull request can save caches under its own scope, which its runs search first, and unpacking a cache writes wherever
# the archive says, before anybody could look at a digest. So nothing is restored where a pull request can write the
# scope: only where the run belongs to the default branch. Saved is only what the default branch itself started.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_word offline "$IN_OFFLINE" true false
need_word sarif-upload "$IN_SARIF_UPLOAD" true false
cd "$temp"

# Head's own gate would judge head: the action's files may not come from the checkout that is judged.
refuse_own_source() {
    local judged own
    judged=$(find_checkout "$IN_WORKING_DIRECTORY")
    own=$(git -C "$action" rev-parse --show-toplevel 2>/dev/null) || return 0
    if [ "$(native "$own")" = "$judged" ] && is_pull && [ "$event" != pull_request_target ] && [ "$event" != workflow_run ]; then
        fail 2 'the action lies in the checkout that it would judge: check it out from the protected branch into a folder of its own'
    fi
}

# Cargo's name for this runner; nothing where no binary is released for it.
target() {
    case "${RUNNER_OS:-}-${RUNNER_ARCH:-}" in
    Linux-X64) echo x86_64-unknown-linux-musl ;;
    Linux-ARM64) echo aarch64-unknown-linux-musl ;;
    macOS-X64) echo x86_64-apple-darwin ;;
    macOS-ARM64) echo aarch64-apple-darwin ;;
    Windows-X64) echo x86_64-pc-windows-msvc ;;
    esac
}

recorded_digest() {
    awk -v name="$1" '$2 == name && length($1) == 64 && $1 !~ /[^0-9a-f]/ { print $1; exit }' "$action/.github/action/digests"
}

# Whether the scope of this run's caches is the default branch's.
may_restore() {
    case "$event" in
    # Schedules run on the default branch alone, and their payload need not name it.
    schedule) true ;;
    push | workflow_dispatch | repository_dispatch | pull_request_target | workflow_run)
        [ -n "$DEFAULT_BRANCH" ] && [ "${GITHUB_REF:-}" = "refs/heads/$DEFAULT_BRANCH" ]
        ;;
    *) false ;;
    esac
}

may_save() {
    is_one_of "$event" push schedule && may_restore
}

isolate_git
refuse_own_source

version=${IN_VERSION#v}
own=$(awk -F '"' '/^version = "/ { print $2; exit }' "$action/Cargo.toml")
digest='' asset=''
if [ "$version" != source ]; then
    matches "${version:-$own}" '^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$' ||
        fail 2 "input version: $(shown "$version") is no version"
    place=$(target)
    if [ -n "$place" ]; then
        asset=portcullis-${version:-$own}-$place
        [ "$RUNNER_OS" != Windows ] || asset=$asset.exe
        digest=$(recorded_digest "$asset")
    fi
    if [ -z "$digest" ] && [ -n "$version" ] && [ "$version" != "$own" ]; then
        fail 2 "input version: this action records no digest of $(shown "$version"); use the action at that version"
    fi
fi

use_store=true
if [ "$IN_OFFLINE" = true ] || [ -n "$IN_ADVISORIES" ]; then
    use_store=false
fi
may_restore=false
if may_restore; then
    may_restore=true
fi
may_save=false
if may_save; then
    may_save=true
fi

# As the scripts know it: in a container job, `runner.temp` is the host's name of the folder.
output folder "$temp"
output version "${version:-$own}"
output asset "$asset"
output digest "$digest"
output use-store "$use_store"
output may-save "$may_save"
if [ -n "$digest" ] && [ "$may_restore" = true ]; then
    output binary-key "portcullis-binary-$digest"
fi
if [ "$use_store" = true ] && [ "$may_restore" = true ]; then
    output store-prefix "portcullis-store-1-${RUNNER_OS:-}-${RUNNER_ARCH:-}-"
fi
