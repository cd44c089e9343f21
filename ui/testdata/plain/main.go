// Plain is a Bubble Tea v1 program without our cure: the control of the freeze test.
package main

import tea "github.com/charmbracelet/bubbletea"

type model struct{}

func (model) Init() tea.Cmd                       { return nil }
func (model) Update(tea.Msg) (tea.Model, tea.Cmd) { return model{}, nil }
func (model) View() string                        { return "first frame" }

func main() { tea.NewProgram(model{}).Run() }
