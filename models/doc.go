// Package models knows which model files there are and opens the one that the
// user means.
//
// That is a path, the built-in model, or the name of a model in the library on
// disk (Library). The catalog of models worth having and their download belong
// here too: what a user sees in a menu of models comes from this package, while
// the folders below it know how a model is stored:
//
//	gguf     the container: metadata, tensors, quantisation types
//	token    text to token ids and back
//	chat     a conversation to the prompt that the model was trained on
//	convert  a Hugging Face folder to a GGUF file
//	builtin  the model inside the program
//
// Nothing here computes. The engine takes an open file from Open and reads
// what it needs:
//
//	f, err := models.Open("")                  // the built-in model
//	f, err := models.Open("qwen-0.5b-q4.gguf") // a file
//	f, err := models.Open("qwen-0.5b-q4")      // the library's
//	defer f.Close()
//
// Errors are plain sentences for the user that begin with the file's name, and
// name what people really pass by mistake: a folder, another format's weights,
// the web page that came in place of a download.
package models
