#!/bin/sh
# Builds the image, and holds what docs/operations.md says of it: it runs as nobody in particular, on a root that
# it cannot write, keeps what it bought on a volume, and ends when it is told to.
set -eu
cd "$(dirname "$0")/.."
docker=${DOCKER:-docker}
image=batchgen:try
volume=batchgen-try-$$

$docker build --quiet -t $image .
$docker volume create "$volume" >/dev/null
trap '$docker rm -f "$volume" >/dev/null 2>&1 || true; $docker volume rm -f "$volume" >/dev/null' EXIT

inside() { $docker run --rm --read-only --tmpfs /tmp -v "$volume:/output" "$@"; }

inside $image --version
test "$(inside --entrypoint id $image -u)" = 10001
rehearse() {
  inside -v "$PWD/jobs.example.yaml:/manifest/jobs.yaml:ro" -v "$PWD/examples:/manifest/examples:ro" \
    $image run /manifest/jobs.yaml --simulate -o /output
}
rehearse
inside $image status -o /output | grep done

# the volume alone remembers: there is nothing left to do
rehearse 2>&1 | grep 'nothing to do'

$docker run -d --name "$volume" $image simulate --port 8080 >/dev/null
$docker stop -t 20 "$volume" >/dev/null
status=$($docker inspect -f '{{.State.ExitCode}}' "$volume")
test "$status" != 137 || { echo "it had to be killed"; exit 1; }
echo "the image holds"
