#!/usr/bin/env bash
# tests/repeat.sh TIMES LOAD TEST…: runs each integration test TIMES times alone, with LOAD busy processes beside it,
# and says how often it failed. The tests must have been built (`make test-repeat` does that).
set -euo pipefail
cd "$(dirname "$0")/.."
times=$1 load=$2
shift 2
binary=$(cargo test --locked --test it --no-run --message-format=json 2> /dev/null |
    sed -n 's/.*"name":"it".*"executable":"\([^"]*\)".*/\1/p')
log=$(mktemp)
busy=()
trap 'for process in "${busy[@]}"; do kill "$process"; done; rm -f "$log"' EXIT
for ((process = 0; process < load; process++)); do
    while :; do :; done &
    busy+=($!)
done
failed=0
for test in "$@"; do
    bad=0
    began=$SECONDS
    for ((run = 1; run <= times; run++)); do
        # A name that no test has would pass.
        if ! "$binary" --exact "$test" > "$log" 2>&1 || ! grep -q '^test result: ok. 1 passed' "$log"; then
            bad=$((bad + 1))
            cat "$log" >&2
        fi
    done
    echo "$test: $bad of $times failed, $((SECONDS - began)) s"
    failed=$((failed + bad))
done
[ "$failed" = 0 ]
