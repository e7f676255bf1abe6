#!/usr/bin/env bash
# Gets the program: the release binary whose digest this action records, from the tool cache, the restored cache or the
# release, whichever has those very bytes first; else a build of the action's own source.
#
# The build stands outside the workspace, in an environment of a few named variables, with a cargo home of its own and a
# toolchain that is named here: neither head's rust-toolchain file nor its cargo configuration, nor RUSTFLAGS of the job,
# has a say. What is built is used once and never cached, because nothing recorded could tell it from a forgery.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly toolchain=1.95.0
cd "$temp"

suffix=''
[ "${RUNNER_OS:-}" != Windows ] || suffix=.exe
restored=$temp/binary/portcullis$suffix

# Takes the file if its bytes are the recorded ones. A copy is compared, so that what was compared is what is run.
take() {
    [ -f "$1" ] && [ ! -L "$1" ] || return 1
    local copy
    copy=$(mktemp -d "$temp/program.XXXXXX")/portcullis$suffix
    cp "$1" "$copy"
    if [ "$(sha256_of "$copy")" != "$DIGEST" ]; then
        rm -f "$copy"
        return 1
    fi
    chmod 700 "$copy"
    output program "$copy"
}

from_tool_cache() {
    [ -n "${RUNNER_TOOL_CACHE:-}" ] || return 1
    take "$(native "$RUNNER_TOOL_CACHE")/portcullis/$VERSION/$RUNNER_ARCH/portcullis$suffix"
}

from_release() {
    local file
    # An action that is used by a path has no repository of its own to have releases.
    matches "$ACTION_REPOSITORY" '^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$' || return 1
    matches "${GITHUB_SERVER_URL:-}" '^https://[A-Za-z0-9.:-]+$' || return 1
    file=$(mktemp "$temp/download.XXXXXX")
    curl --silent --show-error --fail --location --proto '=https' --tlsv1.2 --retry 3 --max-time 180 \
        --max-filesize 300000000 --output "$file" \
        "$GITHUB_SERVER_URL/$ACTION_REPOSITORY/releases/download/v$VERSION/$ASSET" 2>"$file.log" || {
        log_of <"$file.log"
        return 1
    }
    take "$file" || fail 3 "the release asset $(shown "$ASSET") is not the one whose digest this action records"
    # For the cache that a run of the default branch saves.
    mkdir -p "$temp/binary"
    rm -f "$restored"
    mv "$file" "$restored"
    output is-new true
}

# The parts of PATH that head cannot write: absolute ones outside the workspace.
outer_path() {
    local part result=''
    while IFS= read -r -d : part; do
        case "$part" in
        "$workspace" | "$workspace"/* | "$GITHUB_WORKSPACE" | "$GITHUB_WORKSPACE"/*) ;;
        /*) result=$result${result:+:}$part ;;
        esac
    done <<<"$PATH:"
    printf '%s' "$result"
}

build() {
    [ -f "$action/Cargo.lock" ] || fail 3 'this copy of the action has no source to build'
    command -v cargo >/dev/null 2>&1 || fail 3 'no release binary for this runner, and no Rust to build the action with'
    local place name
    place=$(mktemp -d "$temp/build.XXXXXX")
    mkdir "$place/source" "$place/cargo" "$place/target"
    (cd "$action" && tar --exclude=./target --exclude=./.git -cf - .) | (cd "$place/source" && tar -xf -)
    local clean=(PATH="$(outer_path)" CARGO_HOME="$place/cargo" CARGO_TARGET_DIR="$place/target"
        RUSTUP_TOOLCHAIN="$toolchain" CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never)
    # What finding the compiler, the linker, the proxy and the certificates takes, and no more.
    for name in HOME RUSTUP_HOME TMPDIR TEMP TMP SystemRoot SYSTEMROOT windir COMSPEC PATHEXT USERPROFILE APPDATA LOCALAPPDATA \
        ProgramData ProgramFiles 'ProgramFiles(x86)' 'CommonProgramFiles' DEVELOPER_DIR SSL_CERT_FILE SSL_CERT_DIR \
        http_proxy https_proxy no_proxy HTTPS_PROXY HTTP_PROXY NO_PROXY ALL_PROXY; do
        if printenv "$name" >/dev/null; then
            clean+=("$name=$(printenv "$name")")
        fi
    done
    # Rustup answers for `cargo` as the toolchain says; without rustup there is only the one cargo.
    if [ ! -d "${RUSTUP_HOME:-${HOME:-}/.rustup}/toolchains" ]; then
        say "building with the only Rust there is: $(env -i "${clean[@]}" cargo --version)"
    else
        say "building with Rust $toolchain"
        if ! env -i "${clean[@]}" rustup run "$toolchain" rustc --version >/dev/null 2>&1; then
            env -i "${clean[@]}" rustup toolchain install "$toolchain" --profile minimal --no-self-update \
                >"$place/log" 2>&1 || {
                log_of <"$place/log"
                fail 3 "Rust $toolchain cannot be installed"
            }
        fi
    fi
    (cd "$place/source" && env -i "${clean[@]}" cargo build --release --locked --bin portcullis) >"$place/log" 2>&1 || {
        tail -n 40 "$place/log" | log_of
        fail 3 'the action cannot be built from its source'
    }
    output program "$place/target/release/portcullis$suffix"
}

if [ -n "$DIGEST" ]; then
    if from_tool_cache || take "$restored"; then
        exit 0
    fi
    if [ -e "$restored" ]; then
        say 'the restored binary is not the recorded one and is not used'
        rm -f "$restored"
    fi
    if from_release; then
        exit 0
    fi
    say "no release binary can be had: building the action's source"
else
    say "this commit of the action records no binary for ${RUNNER_OS:-?} ${RUNNER_ARCH:-?}: building its source"
fi
build
