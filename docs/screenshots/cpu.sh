#!/usr/bin/env bash
# Measures what the interface itself costs while an answer streams: docs/screenshots/cpu.sh [SECONDS]
#
# Runs the interface with an engine that plays a script at 17 tokens a second and computes nothing, so that all CPU time of the process is the
# interface's: drawing, markdown, dashboard, saving. Prints the share of one core at three sizes. Needs Go and tmux.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-30}
work=$(mktemp -d)
terminal() { TMUX='' tmux -u -S "$work/socket" "$@"; }
trap 'terminal kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
go build -o "$work/chat" ./ui/testdata/chat
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }

for size in '120 36' '80 24' '46 19'; do
  read -r width height <<<"$size"
  terminal -f /dev/null new-session -d -x "$width" -y "$height" \
    env SCRIPT=long PROMPT=go DATA="$work/data" COLORTERM=truecolor TERM=tmux-256color "$work/chat"
  until terminal capture-pane -p | grep -q 'esc stop'; do sleep 0.1; done
  sleep 3 # past the start: SQLite is compiled once
  pid=$(terminal display-message -p '#{pane_pid}')
  before=$(ticks "$pid") began=$(date +%s%N)
  sleep "$seconds"
  after=$(ticks "$pid") ended=$(date +%s%N)
  awk -v a="$before" -v b="$after" -v t="$began" -v u="$ended" -v hz="$(getconf CLK_TCK)" -v size="${width}x$height" \
    'BEGIN { printf "%s: %.1f %% of a core\n", size, (b - a) / hz * 1e9 / (u - t) * 100 }'
  terminal kill-server
  sleep 0.5
done
