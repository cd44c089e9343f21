// Package convert turns a model as Hugging Face publishes it, a folder of JSON files and
// safetensors, into one GGUF file.
//
// # What it reads
//
//	config.json                     the shape
//	model.safetensors, or the shards that model.safetensors.index.json names
//	tokenizer.json, or tokenizer.model (SentencePiece)
//	tokenizer_config.json, special_tokens_map.json, generation_config.json,
//	chat_template.jinja             special tokens and chat templates, as far as they exist
//
// Architectures names the families. They become the architectures llama (also Mistral
// and Mixtral), qwen2, qwen3, qwen3moe, and bamboo for the models in which both gate and
// up pass a ReLU (TurboSparse, arXiv 2406.05955).
//
// # What changes on the way
//
// Hugging Face rotates the two halves of a head, GGUF's llama and bamboo neighbouring
// values; there the rows of the query and key matrices change their order. Llama 3.1's
// scaling of the rotation becomes the tensor rope_freqs.weight. The experts of a layer
// become one tensor. Merges with byte fallback become SentencePiece's scores.
//
// A dense ReLU model with predictors (mlp.predictor.fc1 and fc2, score = fc2 . relu(fc1 . x))
// becomes a PowerInfer file: magic PWRI, predictors as blk.N.fc1 and fc2, the down matrix
// by neurons as blk.N.ffn_down_t, and powerinfer.sparse_threshold (sparse_threshold of
// config.json, else 0). So does a Llama with hidden_act relu, as a plain GGUF file cannot
// say that. Of a model with experts the predictors are kept in a plain GGUF file, in names
// of this package's own:
//
//	blk.N.exp_fc1.weight [dim, rank, experts]   blk.N.exp_fc2.weight [rank, ff, experts]
//
// or, in a layer whose predictors differ in rank, blk.N.exp_fc1.E.weight [dim, rank] and
// blk.N.exp_fc2.E.weight [rank, ff] for each expert E.
//
// # Invariants
//
// Nothing is guessed: every source tensor has its place and its shape by config.json, or
// the conversion ends with an error that names it. The tokenizer is tried before the
// first tensor is read. Quantised blocks are bit for bit those of llama.cpp's reference.
// Tensors are streamed, so a model of any size needs some tens of megabytes besides its
// tokenizer. The folder is hostile input, and nothing in it is ever run.
//
// # Use
//
//	err := convert.Convert(ctx, "Qwen2.5-0.5B-Instruct", "qwen.gguf", convert.Options{Type: gguf.Q8_0})
package convert
