package ui

import (
	"context"
	"os/exec"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// awake keeps a phone from sleeping while an answer is written. Termux holds the lock for all its sessions, so it is
// given back when the program ends, and only if it was taken here.
type awake struct{ held bool }

// keepAwake takes the lock with the first answer, where there is one to take.
func (m *model) keepAwake() tea.Cmd {
	if m.awake.held || !m.prefs.KeepAwake {
		return nil
	}
	m.awake.held = true
	return guard(func() tea.Msg { wakeLock("termux-wake-lock"); return nil })
}

// letSleep gives the lock back.
func (m *model) letSleep() {
	if m.awake.held {
		wakeLock("termux-wake-unlock")
	}
}

// wakeLock runs one of Termux's two programs if it is there; elsewhere nothing needs to be done.
func wakeLock(name string) {
	program, err := exec.LookPath(name)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = exec.CommandContext(ctx, program).Run() // a phone that sleeps is slow, not wrong
}
