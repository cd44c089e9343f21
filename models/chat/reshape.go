package chat

// foldSystem puts the text of every system message in front of the next user message, for
// templates that know no system role. Without a next user message it becomes one.
func foldSystem(msgs []Message) []Message {
	var out []Message
	system := ""
	for _, m := range msgs {
		switch {
		case m.Role == "system":
			system = paragraphs(system, m.Content)
		case m.Role == "user":
			out = append(out, Message{m.Role, paragraphs(system, m.Content)})
			system = ""
		default:
			out = append(out, m)
		}
	}
	if system != "" {
		out = append(out, Message{"user", system})
	}
	return out
}

// mergeNeighbours makes one message of neighbours that have the same role.
func mergeNeighbours(msgs []Message) []Message {
	var out []Message
	for _, m := range msgs {
		if n := len(out); n > 0 && out[n-1].Role == m.Role {
			out[n-1].Content = paragraphs(out[n-1].Content, m.Content)
		} else {
			out = append(out, m)
		}
	}
	return out
}

func paragraphs(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n\n" + b
}
