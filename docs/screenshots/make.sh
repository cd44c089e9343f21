#!/usr/bin/env bash
# Takes the screenshots of the README again: docs/screenshots/make.sh
#
# Runs the real program in tmux with the built-in model and a fixed seed, asks
# what stands below, and writes docs/chat-WIDTHxHEIGHT.png. Needs Go, tmux,
# rsvg-convert (Debian: librsvg2-bin) and the font DejaVu Sans Mono.
set -euo pipefail
cd "$(dirname "$0")/../.."

questions=('Hi! How are you today?' 'What kind of music do you like?' 'Who is your favorite singer?')

for tool in tmux rsvg-convert; do
  command -v "$tool" >/dev/null || { echo "make.sh: $tool is missing" >&2; exit 1; }
done
work=$(mktemp -d)
terminal() { TMUX='' tmux -u -S "$work/socket" "$@"; }
trap 'terminal kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
go build -o "$work/hotcell" .
go build -o "$work/ansisvg" ./docs/screenshots/ansisvg

# wait_for COUNT PATTERN: until at least so many lines of the screen match.
wait_for() {
  local deadline=$((SECONDS + 60))
  until (($(terminal capture-pane -p | grep -cE "$2") >= $1)); do
    ((SECONDS < deadline)) || { echo "make.sh: no line matches $2" >&2; terminal capture-pane -p >&2; exit 1; }
    sleep 0.1
  done
}

shoot() { # WIDTH HEIGHT
  local name="docs/chat-$1x$2.png" question asked=0
  terminal -f /dev/null new-session -d -x "$1" -y "$2" \
    env COLORTERM=truecolor TERM=tmux-256color "$work/hotcell" --seed 4
  wait_for 1 'ready'
  for question in "${questions[@]}"; do
    terminal send-keys -l "$question"
    terminal send-keys Enter
    ((++asked))
    wait_for $asked '^companion .*tok/s'
  done
  wait_for 1 'last answer'
  terminal capture-pane -e -p | "$work/ansisvg" -width "$1" -height "$2" >"$work/screen.svg"
  rsvg-convert "$work/screen.svg" -o "$name"
  terminal kill-server
  ls -l "$name"
}

shoot 120 36
shoot 46 19
