package cli

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hotcell/infer"
	"hotcell/models"
	"hotcell/models/builtin"
	"hotcell/ui"
	"hotcell/ui/roles"
	"hotcell/ui/settings"
)

func newChat(s *streams) *cobra.Command {
	var (
		m      modelFlags
		sample samplingFlags
		cfg    ui.Config
		system string
	)
	c := &cobra.Command{
		Use:   "chat",
		Short: "Chat in the terminal (what hotcell does without a command)",
		Args:  noArgs,
	}
	m.add(c.Flags())
	sample.add(c.Flags())
	c.Flags().StringVar(&system, "system", "", "system prompt in place of the role's")
	c.Flags().StringVarP(&cfg.Prompt, "prompt", "p", "", "first message, sent when the model is loaded")
	c.Flags().BoolVar(&cfg.Resume, "resume", false, "go on with the chat that was used last")
	c.Flags().BoolVar(&cfg.ASCII, "ascii", false, "draw with ASCII characters only")
	c.Flags().BoolVar(&cfg.Light, "light", false, "colours for a light background")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		config, err := m.config()
		if err != nil {
			return err
		}
		if m.path != "" || config.Plan != nil { // what is wrong with the files is told before the screen is taken
			f, err := models.Open(m.path)
			if err != nil {
				return err
			}
			err = onlyForPacks(f, config.Plan)
			if err == nil && config.Plan != nil {
				_, err = infer.PlanFor(f, config)
			}
			name, _ := f.StringOr("general.name", f.Name())
			if closeModel(f); err != nil {
				return err
			}
			cfg.Name, cfg.Model = name, modelID(m.path)
		}
		var checked infer.Sampling
		if err := sample.apply(c.Flags(), &checked); err != nil {
			return err
		}
		cfg.Sampling = func(o *infer.Options) {
			_ = sample.apply(c.Flags(), &o.Sampling) // it was checked above
			if sample.tokens > 0 {
				o.MaxTokens = sample.tokens
			}
		}
		if c.Flags().Changed("system") {
			role := defaultRole(m.path)
			role.Name, role.System = "custom", system
			cfg.Role = &role
		}
		if cfg.DataDir, err = models.DataDir(); err != nil {
			return err
		}
		if cfg.Settings, err = settings.Path(); err != nil {
			return err
		}
		cfg.Choice = ui.Choice{Context: config.Context, Threads: config.Threads, Budget: int(config.Memory >> 20)}
		if c.Flags().Changed("mode") || config.Plan != nil {
			cfg.Choice.Mode = string(config.Mode)
		}
		cfg.NoColor = os.Getenv("NO_COLOR") != ""
		cfg.Models = (&chatModels{config, filepath.Join(cfg.DataDir, "packs")}).functions()
		cfg.Clusters = clusters()
		return ui.Run(c.Context(), cfg)
	}
	return c
}

// defaultRole suits the model.
func defaultRole(path string) roles.Role {
	if path == "" || path == models.BuiltIn {
		r := builtin.Role
		return roles.Role{Name: r.Name, System: r.System, Sampling: infer.Sampling{
			Temperature: r.Temperature, TopP: r.TopP, RepeatPenalty: r.RepeatPenalty, Seed: -1,
		}}
	}
	return roles.Role{Name: "Assistant", System: "You are a helpful assistant.", Sampling: infer.Sampling{
		Temperature: 0.7, TopK: 40, TopP: 0.95, MinP: 0.05, Seed: -1,
	}}
}
