#!/usr/bin/env bash
# Takes the screenshots of the documentation again: docs/screenshots/make.sh
#
# Runs the real program in tmux with the built-in model in a pack under a small budget of memory, so that the dashboard
# has something to show, with a fixed seed; asks what stands below, opens the menus, and writes docs/NAME-WIDTHxHEIGHT.png.
# Needs Go, tmux, rsvg-convert (Debian: librsvg2-bin) and the font DejaVu Sans Mono.
set -euo pipefail
cd "$(dirname "$0")/../.."

questions=('Hi! How are you today?' 'What kind of music do you like?' 'Who is your favorite singer?')

for tool in tmux rsvg-convert; do
  command -v "$tool" >/dev/null || { echo "make.sh: $tool is missing" >&2; exit 1; }
done
work=$(mktemp -d)
terminal() { TMUX='' tmux -u -S "$work/socket" "$@"; }
trap 'terminal kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
export HOTCELL_DATA=$work/data XDG_CONFIG_HOME=$work/config
go build -o "$work/hotcell" .
go build -o "$work/ansisvg" ./docs/screenshots/ansisvg
mkdir -p "$HOTCELL_DATA/packs"
"$work/hotcell" pack -o "$HOTCELL_DATA/packs/smalltalk.pack" >/dev/null
"$work/hotcell" import models/builtin/smalltalk-9m-q4_0.powerinfer.gguf --name smalltalk >/dev/null

# wait_for COUNT PATTERN: until at least so many lines of the screen match.
wait_for() {
  local deadline=$((SECONDS + 60))
  until (($(terminal capture-pane -p | grep -cE "$2") >= $1)); do
    ((SECONDS < deadline)) || { echo "make.sh: no line matches $2" >&2; terminal capture-pane -p >&2; exit 1; }
    sleep 0.1
  done
}

open() { # WIDTH HEIGHT [FLAG ...]: the program in a terminal of that size
  width=$1 height=$2
  shift 2
  terminal -f /dev/null new-session -d -x "$width" -y "$height" \
    env COLORTERM=truecolor TERM=tmux-256color "$work/hotcell" --seed 4 "$@"
  wait_for 1 'ready'
}
packed() { open "$@" -m "$HOTCELL_DATA/packs/smalltalk.pack" --memory 80MiB --ctx 1024; }

role() {
  terminal send-keys -l '/role companion'
  terminal send-keys Enter
  wait_for 1 'role companion|│ companion'
}
talk() { # NUMBER: asks so many of the questions
  local question asked=0
  for question in "${questions[@]:0:$1}"; do
    terminal send-keys -l "$question"
    terminal send-keys Enter
    ((++asked))
    wait_for 1 'last answer'
    wait_for $asked '^ *companion .*tok/s'
  done
}
shoot() { # NAME
  local name="docs/$1-${width}x$height.png"
  sleep 0.5
  terminal capture-pane -e -p | "$work/ansisvg" -width "$width" -height "$height" >"$work/screen.svg"
  rsvg-convert "$work/screen.svg" -o "$name"
  ls -l "$name"
}
keys() { terminal send-keys "$@"; }
close() {
  terminal kill-server
  sleep 0.5 # a server that is still ending takes no new session
}

open 80 24 # compiles SQLite, which takes memory that the next runs must not count
close

packed 120 36
role
talk 3
shoot chat
keys C-o
wait_for 1 'verdict'
shoot models
close

packed 80 24
role
talk 2
shoot chat
terminal send-keys -l '/heat'
keys Enter
wait_for 1 'layers down'
shoot heat
keys Escape
wait_for 1 'Write a message'
keys C-g
wait_for 1 'Settings'
shoot settings
close

packed 48 40
role
talk 3
shoot chat
keys C-o
wait_for 1 'Models'
shoot models
keys Escape
wait_for 1 'Write a message'
keys C-p
wait_for 1 'Roles'
shoot roles
keys Escape
wait_for 1 'Write a message'
keys Tab
keys Right Right
wait_for 1 'neuron cache'
shoot panel
close

packed 46 19
role
talk 3
shoot chat
terminal send-keys -l '/'
wait_for 1 'begin a new chat'
shoot palette
close
