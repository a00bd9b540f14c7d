#!/usr/bin/env bash
# Tries the containers on a machine with Docker: builds the image, starts Qdrant, PostgreSQL, the service and a worker,
# builds the showroom in them, searches it by words, by photo and by an edit, looks at how the container is locked in, and
# takes everything down again. Ten minutes the first time, most of them downloads; 10 GB.
#   deploy/smoke.sh            # leaves nothing behind but images
#   KEEP=1 deploy/smoke.sh     # leaves it running at http://localhost:8000
set -euo pipefail
cd "$(dirname "$0")/.."

compose=(docker compose --project-name vitrine-smoke --file deploy/compose.yaml --profile shop)
service=http://127.0.0.1:8000

say() { printf '\n== %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    "${compose[@]}" logs --tail 50 api worker >&2 || true
    exit 1
}
finish() { [ -n "${KEEP:-}" ] || "${compose[@]}" down --volumes --timeout 20 >/dev/null 2>&1 || true; }
expect() { # WHAT, WANTED, GOT
    [ "$2" = "$3" ] || fail "$1: expected $2, got $3"
    printf 'ok: %s\n' "$1"
}
count() { python3 -c 'import json, sys; print(len(json.load(sys.stdin)["results"]))'; }
first() { python3 -c 'import json, sys; print(json.load(sys.stdin)["results"][0]["id"])'; }
status() { curl --silent --output /dev/null --write-out '%{http_code}' --max-time 30 "$@"; }
inside() { "${compose[@]}" exec -T api "$@"; }

for needed in docker curl python3; do
    command -v "$needed" >/dev/null || { echo "$needed is needed." >&2; exit 2; }
done
[ -n "${TORCH_INDEX:-}" ] || { echo "TORCH_INDEX is to name the index of PyTorch's wheels for CPUs: see docs/deploy.md." >&2; exit 2; }
docker info >/dev/null 2>&1 || { echo "No Docker daemon answers." >&2; exit 2; }
trap finish EXIT

say "Building and starting"
"${compose[@]}" config --quiet
"${compose[@]}" up --build --detach --wait --wait-timeout 600 || fail "it does not start"
expect "alive" 200 "$(status $service/v1/health)"
expect "not ready before the first build" 503 "$(status $service/v1/ready)"

say "Locked in"
expect "user" 10001 "$(inside id -u)"
expect "no capability" 0000000000000000 "$(inside cat /proc/self/status | sed -nE 's/^CapEff:[[:space:]]+//p')"
expect "no new privileges" 1 "$(inside cat /proc/self/status | sed -nE 's/^NoNewPrivs:[[:space:]]+//p')"
if inside sh -c 'echo x > /opt/vitrine/x' 2>/dev/null; then fail "the root can be written to"; fi
if inside sh -c 'echo x > /etc/x' 2>/dev/null; then fail "the root can be written to"; fi
inside sh -c 'echo x > /tmp/x && echo x > /var/lib/vitrine/x && rm /tmp/x /var/lib/vitrine/x' || fail "home and /tmp cannot be written to"
if docker history --no-trunc --format '{{.CreatedBy}}' "$("${compose[@]}" images --quiet api)" | grep -iE 'vitrine_[A-Za-z0-9_-]{20,}|password='; then
    fail "the image's history holds a secret"
fi
echo "ok: only home and /tmp can be written to"

say "Building the showroom in the container"
inside python -c 'from pathlib import Path; from indexer.showroom.write import write_showroom; write_showroom(Path("/var/lib/vitrine/showroom"))' \
    || fail "the showroom cannot be drawn"
inside vitrine build /var/lib/vitrine/showroom/catalogue.jsonl --name showroom --encoder showroom --queue || fail "the build cannot be queued"
for _ in $(seq 120); do
    [ "$(status $service/v1/ready)" = 200 ] && break
    sleep 5
done
expect "ready once the worker has built it" 200 "$(status $service/v1/ready)"

say "Searching"
words=$(curl --silent --fail --max-time 30 --json '{"text": "red striped mug", "top_k": 3}' $service/v1/search) || fail "words are not answered"
expect "words" 3 "$(count <<<"$words")"
found=$(first <<<"$words")
edit=$(curl --silent --fail --max-time 30 --json "{\"like\": \"$found\", \"change\": \"but blue\", \"top_k\": 3}" $service/v1/search) || fail "an edit is not answered"
expect "an edit" 3 "$(count <<<"$edit")"
photo=$(mktemp) && inside sh -c "cat \"\$(find /var/lib/vitrine/showroom -name '$found-*' -type f | head -n 1)\"" >"$photo"
answer=$(curl --silent --fail --max-time 30 --form "photo=@$photo" --form top_k=3 $service/v1/search/photo) || fail "a photo is not answered"
rm -f "$photo"
expect "its own photo" "$found" "$(first <<<"$answer")"

say "Closed where it should be"
expect "a change without a key" 401 "$(status --request DELETE "$service/v1/products/$found")"
expect "with a made-up key" 401 "$(status --request DELETE --header 'X-API-Key: vitrine_made-up' "$service/v1/products/$found")"
expect "metrics are there" 200 "$(status $service/metrics)"

say "Stopping"
started=$(date +%s)
"${compose[@]}" stop --timeout 60 api
code=$(docker inspect --format '{{.State.ExitCode}}' "$("${compose[@]}" ps --all --quiet api)")
expect "ends by itself when told to" 0 "$code"
echo "ok: after $(($(date +%s) - started)) s"
say "All is well"
