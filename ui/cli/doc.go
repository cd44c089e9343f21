// Package cli is the command line: one file per command, each of which wires the packages below it together and holds
// no logic of its own. Answers go to standard output, everything else to standard error. An error is one plain sentence and exit
// status 1; wrong usage is exit status 2.
package cli
