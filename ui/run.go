package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/term"
	"github.com/muesli/termenv"

	"hotcell/ui/look"
	"hotcell/ui/settings"
	"hotcell/ui/termfirst"
)

// patience is how long a running answer may take to stop when the program ends.
const patience = time.Second

// errNoTerminal is for a person who has piped the chat, or run it by adb without a terminal.
var errNoTerminal = errors.New("the chat needs a terminal: use `hotcell run` for plain output, " +
	"or `adb shell -t` to get a terminal on a phone")

// Run runs the chat on the terminal until the user quits, ctx is cancelled, or SIGTERM, SIGHUP or SIGINT
// comes. However it ends, a panic included, the terminal is restored and a running answer is cancelled.
// The error is nil when the user or a signal ended it.
func Run(ctx context.Context, cfg Config) error {
	termfirst.Restore()
	if !term.IsTerminal(os.Stdout.Fd()) || !term.IsTerminal(os.Stdin.Fd()) {
		return errNoTerminal
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	prefs, notes := settings.Default(), []string(nil)
	if cfg.Settings != "" {
		prefs, notes = settings.Load(cfg.Settings)
	}
	noColor := setColours(cfg, prefs)
	out := &ttyOut{File: os.Stdout}
	m := newModel(ctx, cfg, look.New(noColor, cfg.ASCII || prefs.ASCII), prefs, time.Now)
	m.copy = clipboard(out, m.exportDir())
	for _, note := range notes {
		m.say(note)
	}
	p := tea.NewProgram(m,
		tea.WithAltScreen(),
		tea.WithInput(&ttyIn{File: os.Stdin, wait: joinWait}),
		tea.WithOutput(out),
		tea.WithFPS(15), // its default wakes 60 times a second also when nothing is drawn
		tea.WithoutSignalHandler(),
	)

	// Bubble Tea's own handler does not know SIGHUP, which is what a closed terminal sends.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
		}
		p.Quit()
	}()

	_, err := p.Run()
	cancelled := ctx.Err()
	cancel()
	m.finish()
	m.letSleep()
	switch {
	case m.crash != nil:
		fmt.Fprintf(os.Stderr, "%s\n", m.crash.stack)
		return m.crash
	case errors.Is(err, tea.ErrProgramPanic):
		return errors.New("hotcell crashed; what is printed above says where")
	case err != nil:
		return fmt.Errorf("the terminal failed: %w", err)
	}
	return cancelled
}

// setColours chooses the colours from the environment and the settings alone; the terminal is never
// asked. Without colours bold and reverse video stay, as the cursor is drawn in reverse.
func setColours(cfg Config, prefs settings.Settings) (noColor bool) {
	profile := termenv.NewOutput(os.Stdout).EnvColorProfile()
	if cfg.NoColor || profile == termenv.Ascii {
		noColor, profile = true, termenv.ANSI
	}
	lipgloss.SetColorProfile(profile)
	lipgloss.SetHasDarkBackground(dark(cfg, prefs))
	return noColor
}

// dark reports whether the colours are for a dark background: as the program was told, else as the settings say.
func dark(cfg Config, prefs settings.Settings) bool { return !cfg.Light && prefs.Theme != "light" }
