// Package synth makes traces of models that are not at hand, with the habits that are published of them.
//
// A cache can be judged, and an engine timed, before a download: a generator says which neurons a token uses, layer by layer, in the time that it
// takes to draw a random number for each neuron, without allocating. It is deterministic: shape and seed decide everything.
//
// # The model
//
// A group (a layer's FFN, or an expert's) has its neurons in pack order, the often active first. The neuron at place x (0 to 1) is active with
// probability p(x) = c exp(-lambda x), cut at 0.98. On this come two kinds of memory:
//
//   - Each neuron does with probability Stay what it did for the group's last token, else it draws anew.
//   - A conversation has subjects, TopicTokens long on average. Each subject multiplies p of each neuron by a random factor, log-normal with
//     deviation Topic. All of a group's factors change with the subject; its share of active neurons stays.
//
// Experts are drawn by weights, log-normal with deviation Popularity, times a subject's factors with deviation Topic; each of the last
// token's experts stays with probability Keep.
//
// # What the numbers are
//
// Published:
//
//   - About 10 % of a Bamboo layer's neurons are active (TurboSparse, arXiv 2406.05955: 90 % sparse; its figure 6 has layers from 78 to 94 %).
//   - 26 % of the neurons make 80 % of the activity in ReGLU Llama-70B (PowerInfer, arXiv 2312.12456): lambda.
//   - With a window of 5 tokens a quarter of the active neurons are new, 2.4 % of the layer of 10 % active, and the window holds 24 % of the
//     layer (LLM in a Flash, arXiv 2312.11514, OPT 6.7B): Stay and Topic.
//   - LRU in a cache of half the FFN hits 95 % (Bamboo) and 96.5 % (TurboSparse-Mixtral, 3.5 % missed on average) (PowerInfer-2, arXiv 2406.06282,
//     sections 7.5 and 7.2.4): a check, see docs/benchmarks.md.
//   - 15 % of an expert's neurons are active in TurboSparse-Mixtral, 2 of 8 experts (TurboSparse).
//   - Mixtral uses one of its two experts again for the next token in about 60 % of the cases, 46 % by chance (Mixtral of Experts, arXiv
//     2401.04088, section 5, which has 46 to 49 % for the first and 52 to 67 % for middle and last layers): Keep.
//   - Layers, experts, experts used and neurons of all shapes: their published configurations.
//
// Measured by others, on one machine:
//
//   - Qwen3-30B-A3B: 45 to 51 % of a layer's experts take 90 % of its routing over 1,000 to 8,000 tokens: Popularity and Topic of experts.
//   - SmallThinker-21B: about 155 of an expert's 768 neurons are active.
//
// Generated, for a layer of 10 %: 82 % of the activity by 26 % of the neurons, 23 % new after a window of 5 tokens, which holds 26 % of the layer;
// 61 % of Mixtral's tokens use an expert again; 52 % of Qwen3's experts take 90 % of the routing. A test holds these.
//
// Assumed: that layers grow less sparse with depth, from 6 to 22 %; the exponential form; TopicTokens; that SmallThinker's experts
// are as popular as Qwen3's and its neurons as skewed as Llama's; that experts are independent of the layers around them; that pack order is the true
// order of activity. So the figures compare policies and sizes; they do not promise a hit rate for a model.
package synth
