package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// mostOSC52 is the most text that Termux takes by the escape sequence for copying: 8 KiB as base64.
const mostOSC52 = 6000

// copyPatience is how long termux-clipboard-set may take; without its app it never ends.
const copyPatience = 3 * time.Second

var errNoClipboard = errors.New("there is no terminal to copy by")

// copyText puts text on the clipboard.
func (m *model) copyText(what, text string) tea.Cmd {
	toClipboard := m.copy
	return m.later(func() tea.Msg {
		how, err := toClipboard(text)
		return menuMsg(func(m *model) tea.Cmd {
			if err != nil {
				return m.toastFor("could not copy: "+err.Error(), longToast)
			}
			return m.toastFor(fmt.Sprintf("copied %s %s", what, how), longToast)
		})
	})
}

// clipboard copies by the best way there is: Termux's own program; the terminal, by an escape sequence that most know and none answers;
// for what is too long for that a file in dir.
func clipboard(out *ttyOut, dir string) func(text string) (how string, err error) {
	return func(text string) (string, error) {
		if program, err := exec.LookPath("termux-clipboard-set"); err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), copyPatience)
			defer cancel()
			c := exec.CommandContext(ctx, program)
			c.Stdin = strings.NewReader(text)
			if c.Run() == nil {
				return "to the clipboard", nil
			}
		}
		if len(text) <= mostOSC52 {
			_, err := out.WriteString(ansi.SetSystemClipboard(text))
			return "to the terminal's clipboard", err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", err
		}
		path := filepath.Join(dir, "copied.txt")
		return "to " + path + ": it is too long for the clipboard", os.WriteFile(path, []byte(text), 0o600)
	}
}
