// Package synthetic makes models of a named shape with random weights, so that a machine can be judged before anything is
// downloaded, and two engines can be compared on the very same file.
//
// How fast a dense model runs depends on the shape of its matrices and the format of their numbers, not on what the numbers
// are. So a random model of TinyLlama's shape is as fast or slow as TinyLlama, at no more cost than a name:
//
//	shape, err := synthetic.Find("tinyllama")
//	f, err := synthetic.Open(shape, gguf.Q4_0)   // a *gguf.File like any other; nothing was written or downloaded
//	n, err := synthetic.WriteTo(w, shape, gguf.Q4_0) // the same bytes as a file, also for other engines
//
// No copy of the model exists: Open gives a file over an [io.ReaderAt] that makes the bytes when they are read. For each
// number format there is a pool of some thousand random blocks, and a tensor is that pool over and over, from a start of its
// own (pool.go). The number of blocks is a prime, so that rows differ.
//
// Weights have a mean of about 0 and a standard deviation of 0.02, the usual choice when a transformer's training begins, and
// norms are 1; so activations stay finite through all layers. The answers mean nothing. A mixture of formats is not imitated:
// all matrices have the one type asked for, but for rows that are no whole number of its blocks; they get the format that
// llama.cpp's quantiser gives them in this case.
//
// The file has all the metadata that engines ask for, with a SentencePiece vocabulary of made-up pieces (vocab.go): single
// bytes and words of letters in the order a, b, ..., z, aa, ab, ...
//
// Invariants: the same shape and type give the same bytes on every machine; a file written by WriteTo is what Open presents.
package synthetic
