#!/usr/bin/env bash
# Checks the restored advisory store against the digest in its key, and brings it up to date: on the default branch
# always, elsewhere only where no store could be restored. A store that cannot be updated is not an error here: the
# policy says how old advisories may be.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cd "$temp"
isolate_git
top=$(find_checkout "$IN_WORKING_DIRECTORY")
forget_git
store=$temp/store
mkdir -p "$store"
export PORTCULLIS_CACHE=$store
prefix=portcullis-store-1-${RUNNER_OS:-}-${RUNNER_ARCH:-}-

is_restored=false
if [ -n "$STORE_KEY" ] && [ -f "$store/advisories.store" ]; then
    if [ "$prefix$(sha256_of_folder "$store")" = "$STORE_KEY" ]; then
        is_restored=true
    else
        say 'the restored advisory store is not whole, its digest is another than its name says: fetching a new one'
    fi
fi
if [ "$is_restored" = false ]; then
    rm -rf "$store"
    mkdir -p "$store"
fi

if [ "$is_restored" = false ] || [ "$MAY_SAVE" = true ]; then
    if ! "$PROGRAM" --repo "$top" --quiet advisories update >"$temp/update.log" 2>&1; then
        log_of <"$temp/update.log"
        say 'the advisories could not be updated: judging with those at hand'
    fi
fi

if [ "$MAY_SAVE" = true ] && [ -f "$store/advisories.store" ]; then
    key=$prefix$(sha256_of_folder "$store")
    if [ "$key" != "$STORE_KEY" ]; then
        output new-key "$key"
    fi
fi
