// Command hotcell is a terminal chat app that runs language models on the device, also models larger than the memory they may
// use, and shows live what the engine does. Its commands live in ui/cli.
package main

import (
	"os"

	"hotcell/ui/cli"
	"hotcell/ui/termfirst"
)

func main() {
	termfirst.Restore()
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
