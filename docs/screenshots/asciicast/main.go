// Command asciicast records a terminal session that plays itself. It runs a program in a terminal of its own, does what the script on
// standard input says, and writes what the program drew, with its times, as an asciicast v2 file:
//
//	go run ./docs/screenshots/asciicast -width 80 -height 24 -- ./hotcell <script >session.cast
//	asciinema play session.cast
//
// A script has one step on each line. Nothing but pause and type takes a fixed time:
//
//	wait TEXT    until TEXT is on the screen
//	gone TEXT    until it is not
//	type TEXT    types TEXT as a person does
//	key NAME     presses enter, esc, tab, up, down, left, right, pgup, pgdn or ctrl-LETTER
//	size W H     resizes the terminal
//	pause MS     lets the viewer look
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/charmbracelet/x/vt"
	"golang.org/x/sys/unix"
)

// patience is how long a text may take to come.
const patience = time.Minute

func main() {
	width := flag.Int("width", 80, "columns of the terminal")
	height := flag.Int("height", 24, "rows of the terminal")
	flag.Parse()
	if err := record(os.Stdout, os.Stdin, *width, *height, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "asciicast:", err)
		os.Exit(1)
	}
}

// recorder is a terminal, the program in it, and what has been drawn.
type recorder struct {
	master *os.File
	begun  time.Time

	mu     sync.Mutex // guards the rest
	out    *bufio.Writer
	screen *vt.Emulator
	held   []byte // the beginning of a character whose rest has not come
}

// record runs the program and plays the script.
func record(out io.Writer, script io.Reader, width, height int, program []string) error {
	if len(program) == 0 {
		return errors.New("name the program to run behind --")
	}
	steps, err := parse(script)
	if err != nil {
		return err
	}
	master, slave, err := openTerminal(width, height)
	if err != nil {
		return fmt.Errorf("opening a terminal: %w", err)
	}
	defer master.Close()
	cmd := exec.Command(program[0], program[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	r := &recorder{master: master, begun: time.Now(), out: bufio.NewWriter(out), screen: vt.NewEmulator(width, height)}
	fmt.Fprintf(r.out, `{"version": 2, "width": %d, "height": %d, "env": {"TERM": "xterm-256color"}}`+"\n", width, height)
	if err := cmd.Start(); err != nil {
		return err
	}
	slave.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.read()
	}()
	for _, s := range steps {
		if err := r.play(s); err != nil {
			_ = cmd.Process.Kill() // the error says more than its end would
			return err
		}
	}
	err = cmd.Wait()
	<-ended
	return errors.Join(err, r.out.Flush())
}

// openTerminal opens a pseudo terminal.
func openTerminal(width, height int) (master, slave *os.File, err error) {
	if master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(height), Col: uint16(width)})
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		master.Close()
		return nil, nil, err
	}
	return master, slave, nil
}

// read takes what the program draws until it ends.
func (r *recorder) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.master.Read(buf)
		r.drew(buf[:n])
		if err != nil {
			return
		}
	}
}

// drew notes output. Only whole characters are written, since each line is a JSON text.
func (r *recorder) drew(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b = append(r.held, b...)
	whole := wholeCharacters(b)
	r.held = append([]byte(nil), b[whole:]...)
	if whole == 0 {
		return
	}
	_, _ = r.screen.Write(b[:whole]) // it draws into memory
	r.event("o", string(b[:whole]))
}

func (r *recorder) event(kind, data string) {
	text, _ := json.Marshal(data) // a string always can be
	fmt.Fprintf(r.out, "[%.3f, %q, %s]\n", time.Since(r.begun).Seconds(), kind, text)
}

// shows reports whether a text is on the screen.
func (r *recorder) shows(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Contains(r.screen.String(), text)
}
