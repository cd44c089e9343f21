package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"hotcell/infer"
	"hotcell/ui/keys"
	"hotcell/ui/menu"
)

func TestSwitchingTheModelKeepsTheConversation(t *testing.T) {
	b, e := newKept(t, 80, 24)
	b.cfg.Models = Models{
		List: func(context.Context, Choice) ([]Model, error) {
			return []Model{{ID: "a", Name: "Alpha"}, {ID: "b", Name: "Beta"}}, nil
		},
		Load: func(context.Context, string, Choice, func(done, total int64)) (Engine, error) { return e, nil },
	}
	b.ask("hello")
	b.answerWith("Hi", infer.EndOfTurn, nil)
	b.press(tea.KeyCtrlO)
	b.shows("Alpha")
	b.press(tea.KeyDown, tea.KeyEnter)
	b.shows("loading the model")
	b.Update(loadMsg{load: b.loading, engine: e})
	b.shows("loaded Qwen3-4B")
	b.ask("more")
	if got := e.asked[1]; len(got) != 4 {
		t.Errorf("asked %q", got)
	}
	if b.modelID != "b" || b.prefs.Model != "b" {
		t.Errorf("the model is %q, remembered is %q", b.modelID, b.prefs.Model)
	}
}

func TestAModelThatDoesNotLoadBringsTheOldOneBack(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.cfg.Models.Load = func(context.Context, string, Choice, func(done, total int64)) (Engine, error) { return e, nil }
	b.modelID = "a"
	b.ask("/model b")
	b.Update(loadMsg{load: b.loading, err: context.DeadlineExceeded})
	b.shows("could not be loaded")
	if b.loading == nil || b.modelID != "a" {
		t.Errorf("the model on its way is %q", b.modelID)
	}
}

func TestSwitchingTheRoleKeepsTheConversation(t *testing.T) {
	b, e := newKept(t, 80, 24)
	b.ask("hello")
	b.answerWith("Hi", infer.EndOfTurn, nil)
	b.ask("/role transl")
	b.shows("Translator")
	b.ask("more")
	got := e.asked[1]
	if len(got) != 4 || got[0].Content == "be brief" || got[2].Content != "Hi" {
		t.Errorf("asked %q", got)
	}
}

func TestRolesAreMadeAndEdited(t *testing.T) {
	b, _ := newBench(t, 80, 24)
	b.press(tea.KeyCtrlP)
	b.shows("companion")
	b.typeText("n")
	b.shows("New role")
	b.press(tea.KeyEnter, tea.KeyCtrlU)
	b.ask("Poet")
	b.shows("Poet")
	b.press(tea.KeyDown, tea.KeyDown, tea.KeyDown, tea.KeyDown, tea.KeyDown, tea.KeyDown, tea.KeyRight)
	b.press(tea.KeyEsc)
	l := b.openList(keys.InRoles)
	if l == nil {
		t.Fatal("the list of roles is gone")
	}
	all, problems := b.roles.List()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	found := false
	for _, r := range all {
		found = found || r.Name == "Poet" && r.ID == "new-role"
	}
	if !found {
		t.Errorf("the roles are %+v", all)
	}
	b.press(tea.KeyEnd)
	b.typeText("d")
	b.shows("Delete the role")
	b.typeText("y")
	b.hides("Poet")
}

func TestSettingsHoldAtOnce(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.cfg.Settings = t.TempDir() + "/config.toml"
	b.press(tea.KeyCtrlG)
	b.press(tea.KeyDown, tea.KeyRight) // ascii
	if !b.theme.ASCII {
		t.Error("the theme did not change")
	}
	b.press(tea.KeyEsc)
	b.ask("/set temperature 0.25")
	b.ask("/set temperature nine")
	b.shows("temperature cannot be")
	b.ask("hello")
	if got := e.options[0].Sampling.Temperature; got != 0.25 {
		t.Errorf("the temperature is %v", got)
	}
	b.answerWith("x", infer.EndOfTurn, nil)
	b.ask("/set nonsense 1")
	b.shows("There is no setting nonsense")
}

func TestTheDashboardIsShownFullAndHidden(t *testing.T) {
	b, _ := newBench(t, 80, 24)
	b.shows("tab: more")
	b.press(tea.KeyTab)
	b.shows("a panel and its numbers")
	if _, ok := b.top().(*menu.Panels); !ok {
		t.Fatal("no panel is on screen")
	}
	b.press(tea.KeyRight)
	b.shows("one token")
	b.typeText("p")
	b.shows("frozen")
	b.press(tea.KeyTab)
	b.hides("tab: more")
	b.press(tea.KeyTab)
	b.shows("tab: more")
	b.ask("/heat")
	b.shows("heat map")
}

func TestCodeBlocksAreCopiedByNumber(t *testing.T) {
	b, _ := newBench(t, 80, 24)
	var got string
	b.copy = func(text string) (string, error) { got = text; return "to the test", nil }
	b.ask("code")
	b.answerWith("Look:\n\n```go\nx := 1\n```\n\nand\n\n```\n\x1b[31mtwo\n```\n", infer.EndOfTurn, nil)
	b.View()
	b.press(tea.KeyCtrlY)
	b.shows("block 1 go")
	b.typeText("1")
	b.shows("copied block 1 go to the test")
	if got != "x := 1" {
		t.Errorf("copied %q", got)
	}
	b.ask("/copy 2")
	if got != "\x1b[31mtwo" { // as it is, not as it is drawn
		t.Errorf("copied %q", got)
	}
	b.ask("/copy 7")
	b.shows("the last answer has 2 code blocks")
}

func TestTheMouseIsOnInMenusOnly(t *testing.T) {
	b, _ := newBench(t, 48, 40)
	b.press(tea.KeyCtrlP)
	if !b.mouse {
		t.Error("the mouse is off in a menu")
	}
	b.typeText("/")
	if b.mouse {
		t.Error("the mouse is on while a search is typed")
	}
	b.press(tea.KeyEsc, tea.KeyEsc)
	if b.mouse {
		t.Error("the mouse is on in the chat")
	}
}

func TestTapsWorkMenus(t *testing.T) {
	b, _ := newBench(t, 48, 40)
	b.press(tea.KeyCtrlP)
	tap := func(text string) {
		t.Helper()
		for y, line := range strings.Split(b.screen(), "\n") {
			if x := strings.Index(line, text); x >= 0 {
				b.Update(tea.MouseMsg{X: len([]rune(line[:x])), Y: y, Action: tea.MouseActionPress, Button: tea.MouseButtonLeft})
				return
			}
		}
		t.Fatalf("%q is not on the screen:\n%s", text, b.screen())
	}
	tap("fun facts") // selects
	b.shows("▸5 fun facts")
	tap("[edit]")
	b.shows("saved at once")
	tap("‹ ")
	tap("fun facts")
	b.shows("role fun facts")
}

func TestALongOperationDoesNotBlockTheChat(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.ask("/bench")
	b.shows("tokens written: 640.0 tokens per second, 50%")
	if b.work != nil {
		t.Error("the measurement has not ended")
	}
	b.ask("hello")
	if len(e.asked) != 1 {
		t.Error("nothing can be asked after a measurement")
	}
}

func TestAMessageTypedWhileLoadingIsSentWhenAllIsThere(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.engine, b.loading = nil, newLoad(time.Now())
	b.ask("early")
	b.shows("> early")
	b.shows("sent as soon as all is loaded")
	b.Update(loadMsg{engine: e})
	if len(e.asked) != 1 || e.asked[0][1].Content != "early" {
		t.Errorf("asked %q", e.asked)
	}
}

func TestLoadingCanBeStopped(t *testing.T) {
	b, e := newBench(t, 80, 24)
	b.cfg.Models.Load = func(ctx context.Context, id string, _ Choice, _ func(done, total int64)) (Engine, error) {
		if id == "a" {
			return e, nil
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	b.modelID = "a"
	b.ask("/model b")
	l := b.loading
	b.ask("/stop")
	b.Update(loadMsg{load: l, err: context.Canceled})
	b.shows("it was stopped")
	if b.modelID != "a" || b.loading == nil {
		t.Errorf("the model on its way is %q", b.modelID)
	}
}
