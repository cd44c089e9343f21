package pack

import _ "embed"

// SampleText is plain English, written for this purpose, over which activity is
// counted unless the user names a text: a story, questions and answers,
// facts, code, sums, a letter and a list.
//
//go:embed sample.txt
var SampleText string
