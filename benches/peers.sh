#!/usr/bin/env bash
# Portcullis beside its peers on one lockfile, in one run: wall time, CPU and memory, and ratios.
#
#     benches/peers.sh [--lockfile FILE] [--advisory-db DIR] [--runs N] [--portcullis FILE]
#
# --lockfile      the lockfile judged (default: this project's own)
# --advisory-db   a checkout of the RustSec advisory database, for the peers (default: cargo-audit's own, if there)
# --runs          timed runs of each command, interleaved (default: 15)
# --portcullis    the program (default: target/release/portcullis)
#
# The peers are measured where they are installed: cargo install cargo-audit cargo-deny --locked
# Nothing here uses the network. Needs bash, git and python3.
set -euo pipefail
cd "$(dirname "$0")/.."

lockfile=Cargo.lock database=${CARGO_HOME:-$HOME/.cargo}/advisory-db runs=15 portcullis=target/release/portcullis
while [ $# -gt 0 ]; do
    case $1 in
        --lockfile | --advisory-db | --runs | --portcullis)
            [ $# -gt 1 ] || { echo "$1 needs a value" >&2; exit 2; }
            case $1 in
                --lockfile) lockfile=$2 ;;
                --advisory-db) database=$2 ;;
                --runs) runs=$2 ;;
                --portcullis) portcullis=$2 ;;
            esac
            shift 2 ;;
        *) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
    esac
done
[ -x "$portcullis" ] || { echo "$portcullis is not there: cargo build --release" >&2; exit 2; }
[ -f "$lockfile" ] || { echo "$lockfile is not there" >&2; exit 2; }
portcullis=$(realpath "$portcullis") lockfile=$(realpath "$lockfile")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
repo=$work/repo
git() { GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 command git -c user.name=bench -c user.email=bench@example.invalid "$@"; }

# A repository whose head changes one dependency: base holds the lockfile as given, head one package of another version.
git init -q -b main "$repo"
mkdir -p "$repo/src"
cp "$lockfile" "$repo/Cargo.lock"
: > "$repo/src/lib.rs"
python3 - "$repo" base <<'PY'
import re, sys
folder = sys.argv[1]
text = open(f"{folder}/Cargo.lock", encoding="utf-8").read()
# A manifest that the lockfile can belong to: the first package without a source.
for block in text.split("\n[[package]]\n")[1:]:
    if "\nsource = " not in block:
        name = re.search(r'^name = "(.*)"', block, re.M).group(1)
        version = re.search(r'^version = "(.*)"', block, re.M).group(1)
        break
else:
    name, version = "bench", "0.0.0"
with open(f"{folder}/Cargo.toml", "w", encoding="utf-8") as file:
    file.write(f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2021"\n')
PY
git -C "$repo" add -A
git -C "$repo" commit -q -m base
git -C "$repo" tag base
python3 - "$repo" <<'PY'
import re, sys
path = f"{sys.argv[1]}/Cargo.lock"
text = open(path, encoding="utf-8").read()
blocks = text.split("\n[[package]]\n")
names = [re.search(r'^name = "(.*)"', block, re.M) for block in blocks]
names = [match.group(1) if match else None for match in names]
# The middle one of the packages that come from a registry and are there once: no edge names its version.
fit = [n for n, block in enumerate(blocks) if n and "checksum = " in block and names.count(names[n]) == 1]
if not fit:
    sys.exit("no package of a registry in the lockfile")
at = fit[len(fit) // 2]
bump = lambda match: f'version = "{match.group(1)}.{int(match.group(2)) + 1}"'
block = re.sub(r'^version = "(\d+\.\d+)\.(\d+).*"', bump, blocks[at], count=1, flags=re.M)
blocks[at] = re.sub(r'^checksum = ".*"', f'checksum = "{"5" * 64}"', block, count=1, flags=re.M)
open(path, "w", encoding="utf-8").write("\n[[package]]\n".join(blocks))
print(f"{len(blocks) - 1} packages; changed: {names[at]}")
PY
git -C "$repo" commit -q -am head

# Each command: a name, a tab, and its words.
commands=$work/commands
printf 'portcullis check\t%s\n' "$portcullis check --base base --head HEAD" >> "$commands"
printf 'portcullis audit\t%s\n' "$portcullis audit" >> "$commands"
if [ -d "$database/crates" ]; then
    if command -v cargo-audit > /dev/null; then
        printf 'cargo audit --no-fetch\t%s\n' "cargo-audit audit --no-fetch --stale --db $database" >> "$commands"
    fi
    if command -v cargo-deny > /dev/null; then
        # It looks for a checkout in a folder that it names itself, and is asked which.
        mkdir -p "$work/deny"
        cat > "$repo/deny.toml" <<DENY
[advisories]
db-path = "$work/deny"
db-urls = ["file://$(realpath "$database")"]
DENY
        git -C "$repo" add deny.toml
        git -C "$repo" commit -q --amend --no-edit
        # The first fetch is from the local folder.
        (cd "$repo" && cargo-deny --log-level error fetch db > "$work/deny.log" 2>&1) || true
        printf 'cargo deny check advisories\t%s\n' \
            "cargo-deny --offline --log-level error check --disable-fetch advisories" >> "$commands"
    fi
else
    echo "no advisory database at $database: cargo audit and cargo deny are left out (--advisory-db DIR)"
fi

python3 - "$repo" "$commands" "$runs" <<'PY'
import os, resource, statistics, subprocess, sys, time

repo, commands, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
commands = [line.rstrip("\n").split("\t") for line in open(commands, encoding="utf-8")]
env = {**os.environ, "CARGO_NET_OFFLINE": "true", "NO_COLOR": "1"}
env.pop("CI", None)


def run(words):
    """Wall and CPU in milliseconds, peak memory in MiB and the exit code, of one child alone."""
    start = time.perf_counter()
    child = subprocess.Popen(words.split(" "), cwd=repo, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    return wall * 1e3, (used.ru_utime + used.ru_stime) * 1e3, used.ru_maxrss / 1024, child.returncode


found = {name: [] for name, _ in commands}
for turn in range(runs + 1):
    # Turn about, so that what else the machine does falls on all; the first turn warms the caches.
    for name, words in commands:
        measured = run(words)
        if turn:
            found[name].append(measured)

base = None
columns = ("command", "exit", "wall min", "median", "CPU median", "peak MiB", "x wall", "x CPU", "x memory")
print(f"{runs} runs, interleaved; times in ms, ratios of medians to the first line")
print("{:<28} {:>4} {:>9} {:>9} {:>10} {:>9} {:>7} {:>7} {:>8}".format(*columns))
for name, rows in found.items():
    walls, cpus, peaks, codes = zip(*rows)
    line = (statistics.median(walls), statistics.median(cpus), max(peaks))
    base = base or line
    ratios = [a / b if b else float("nan") for a, b in zip(line, base)]
    print("{:<28} {:>4} {:>9.1f} {:>9.1f} {:>10.1f} {:>9.1f} {:>7.1f} {:>7.1f} {:>8.1f}".format(
        name, codes[-1], min(walls), line[0], line[1], line[2], *ratios))
PY
