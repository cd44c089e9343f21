// Package panels is the dashboard: what the engine does, as panels that a terminal of any size can show.
//
// The problem: an engine that streams a model from flash has many reasons to be slow, and each shows in
// another number. A phone has 46 columns and 19 rows for the chat and for these numbers; and the screen
// must not take the time that it tells of.
//
// The idea: a [Dashboard] is given a sample of everything at each drawn tick ([Input], plain data, mostly
// infer.Stats). It keeps a few of them, so that a rate is the difference of two samples: the last second,
// the last 64 tokens, this answer. What a panel shows is computed once per sample and drawn from there.
// Each panel has a full form with a box and a sparkline, a compact form, a form that shares a line with
// others, and a page of the whole screen with the graph of ten minutes and a sentence for each number.
// [Arrange] chooses the forms: all begin full, and are demoted in a fixed order until they fit (nvitop and
// bottom do it so). It is a pure function of a size, and its drawings are its tests.
//
// What holds everywhere:
//   - Drawing goes through a grid of cells that clips, so nothing is ever wider or taller than asked for,
//     at any size, and styled runs are joined. No text from outside is drawn uncleaned.
//   - A number without data is a dash, never 0. A severity is a colour and the sign ▲, never a colour alone.
//   - Prefill and decode are never mixed, and a hit rate is of the last tokens, with the session's beside it.
//   - Each number that is drawn has one entry in the table of [Numbers], which pages and help both print.
//
// Use, once per drawn tick:
//
//	sensors.Update(now, &in)     // memory, temperature, clocks, at most once a second
//	in.At, in.Stats = now, session.Stats()
//	dash.Add(in)
//	rows := dash.Draw(38, 30)    // 30 strings of 38 cells
//
// A Dashboard belongs to one goroutine.
package panels
