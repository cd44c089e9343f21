// Package chat turns a conversation into the prompt text of a model.
//
// A chat model is trained on conversations that are written in one exact form, with control
// tokens such as <|im_start|> between the turns. The form is given by a Jinja template in the
// model file (metadata key tokenizer.chat_template), which this package runs with models/chat/jinja.
// A file without a template, or with one that does not work, gets one of the built-in forms; the
// vocabulary tells which, for its control tokens are those of the form.
//
// A rendering is one string in which the template's control tokens and the words of the user
// stand side by side, so a user could type <|im_end|> and forge the next turn. Render therefore
// breaks every such text in a message with the mark [token.Literal] (guard.go); the tokenizer
// drops the mark after it has looked for control tokens, and the model sees what the user typed
// as plain text.
//
// Some templates refuse a system message, ignore it, or insist that user and assistant take
// turns. Render then rewrites the conversation: the system text goes in front of the next user
// message, neighbours of one role are merged (reshape.go).
//
//	t, err := chat.New(file, tokenizer)
//	if w := t.Warning(); w != "" { ... }
//	prompt, err := t.Render(messages, chat.RenderOptions{GenerationPrompt: true})
//	ids := tokenizer.Encode(prompt, token.EncodeOptions{Special: true, BOS: tokenizer.AddBOS() && !t.WritesBOS()})
//
// A Template never changes and may render on several goroutines at once.
package chat
