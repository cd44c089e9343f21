package cli

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"hotcell/infer"
	"hotcell/models"
	"hotcell/models/builtin"
	"hotcell/ui"
)

func newChat(s *streams) *cobra.Command {
	var (
		m      modelFlags
		sample samplingFlags
		cfg    ui.Config
		system string
		prompt string
	)
	c := &cobra.Command{
		Use:   "chat",
		Short: "Chat in the terminal (what hotcell does without a command)",
		Args:  noArgs,
	}
	m.add(c.Flags())
	sample.add(c.Flags())
	c.Flags().StringVar(&system, "system", "", "system prompt in place of the role's")
	c.Flags().StringVarP(&prompt, "prompt", "p", "", "first message, sent when the model is loaded")
	c.Flags().BoolVar(&cfg.ASCII, "ascii", false, "draw with ASCII characters only")
	c.Flags().BoolVar(&cfg.Light, "light", false, "colours for a light background")
	c.RunE = func(c *cobra.Command, _ []string) error {
		f, err := models.Open(m.path) // a wrong file is told before the screen is taken
		if err != nil {
			return err
		}
		role := defaultRole(m.path)
		if err := sample.apply(c.Flags(), &role.Sampling); err != nil {
			return err
		}
		role.MaxTokens = sample.tokens
		if c.Flags().Changed("system") {
			role.Name, role.System = "custom", system
		}
		cfg.Role, cfg.Prompt = role, prompt
		cfg.Model, _ = f.StringOr("general.name", f.Name())
		cfg.NoColor = os.Getenv("NO_COLOR") != ""
		cfg.Load = func(ctx context.Context, progress func(done, total int64)) (ui.Engine, error) {
			config := m.config()
			config.Progress = progress
			return openSession(ctx, f, config, io.Discard)
		}
		return ui.Run(c.Context(), cfg)
	}
	return c
}

// defaultRole suits the model.
func defaultRole(path string) ui.Role {
	if path == "" || path == models.BuiltIn {
		r := builtin.Role
		return ui.Role{Name: r.Name, System: r.System, Sampling: infer.Sampling{
			Temperature: r.Temperature, TopP: r.TopP, RepeatPenalty: r.RepeatPenalty, Seed: -1,
		}}
	}
	return ui.Role{Name: "Assistant", System: "You are a helpful assistant.", Sampling: infer.Sampling{
		Temperature: 0.7, TopK: 40, TopP: 0.95, MinP: 0.05, Seed: -1,
	}}
}
