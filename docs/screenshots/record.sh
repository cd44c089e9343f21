#!/usr/bin/env bash
# Records docs/session.cast again: docs/screenshots/record.sh
#
# Plays docs/screenshots/session.txt on the real program: the built-in model in a pack under a small budget of memory, so that it reads its
# neurons from flash. Needs only Go. asciinema plays the file.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOTCELL_DATA=$work/data XDG_CONFIG_HOME=$work/config
go build -o "$work/hotcell" .
go build -o "$work/asciicast" ./docs/screenshots/asciicast
mkdir -p "$HOTCELL_DATA/packs"
"$work/hotcell" pack -o "$HOTCELL_DATA/packs/smalltalk.pack" >/dev/null
# The first run compiles SQLite, which takes memory that the second one must not count.
printf '%s\n' 'wait ready' 'key ctrl-c' 'wait again to quit' 'key ctrl-c' | "$work/asciicast" -- "$work/hotcell" >/dev/null
"$work/asciicast" -width 80 -height 24 -- "$work/hotcell" -m "$HOTCELL_DATA/packs/smalltalk.pack" --memory 80MiB --ctx 1024 --seed 4 \
  <docs/screenshots/session.txt >"$work/session.cast"
mv "$work/session.cast" docs/session.cast
ls -l docs/session.cast
