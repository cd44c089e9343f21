// Package termfirst keeps Bubble Tea v1 from asking the terminal a question before main runs.
//
// The problem: Bubble Tea v1 asks for the terminal's background colour (OSC 11) in its package
// initialisation and waits up to five seconds for the answer. A terminal that never answers, such as
// many a window behind adb shell, shows nothing for that long, and nothing that main does can help: it
// runs too late.
//
// The cure: nothing is asked of a terminal whose TERM is "dumb". Go initialises packages whose imports
// are ready in the order of their paths. This package imports nothing but os, so it is ready before
// os/signal, which Bubble Tea needs; "hotcell/..." sorts before "os/signal"; so its init, which sets
// TERM=dumb, runs first. [Restore] puts TERM back and must be the first call of main.
//
// Invariants: it imports nothing but os, and its import path sorts before "os/signal". The tests of
// package ui start a program on a terminal that never answers and fail if the freeze comes back.
package termfirst

import "os"

var saved, had = os.LookupEnv("TERM")

func init() { os.Setenv("TERM", "dumb") }

// Restore gives TERM the value with which the program was started. Calling it again does nothing more.
func Restore() {
	if had {
		os.Setenv("TERM", saved)
	} else {
		os.Unsetenv("TERM")
	}
}
