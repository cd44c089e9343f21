package ui

import (
	"fmt"
	"runtime/debug"

	tea "github.com/charmbracelet/bubbletea"
)

// crashMsg is a panic in a command.
type crashMsg struct {
	value any
	stack []byte
}

// guard turns a panic of a command into a message. Bubble Tea would print it over the screen while the
// terminal is still in raw mode.
func guard(cmd tea.Cmd) tea.Cmd {
	return func() (msg tea.Msg) {
		defer func() {
			if r := recover(); r != nil {
				msg = crashMsg{r, debug.Stack()}
			}
		}()
		return cmd()
	}
}

// Error is the crash as a sentence.
func (c *crashMsg) Error() string { return fmt.Sprintf("hotcell crashed: %v", c.value) }
