package menu

import "hotcell/ui/keys"

// Action is what a screen asks the app to do.
type Action interface{ action() }

// The actions that concern screens.
type (
	// Close takes the screen away.
	Close struct{}
	// Open puts another screen on top.
	Open struct{ Screen Screen }
	// Replace takes the screen away and does something else.
	Replace struct{ Action Action }
	// Run runs a command line, without its slash.
	Run struct{ Line string }
	// Draft puts text into the draft of the chat.
	Draft struct{ Text string }
	// Say shows a short message.
	Say struct{ Text string }
	// CopyText puts text on the clipboard; What names it in the message about it.
	CopyText struct{ What, Text string }
)

// Item is an action that a list's menu offers for one of its rows, or for none.
type Item struct {
	Kind Kind
	ID   string      // of the row
	Do   keys.Action // as in the key table
	Text string      // what was typed for it, where something had to be
}

// Kind says which menu an [Item] comes from.
type Kind int

// The kinds of items.
const (
	ModelItem Kind = iota
	RoleItem
	ChatItem
	MessageItem
	FileItem
)

func (Close) action()    {}
func (Open) action()     {}
func (Replace) action()  {}
func (Run) action()      {}
func (Draft) action()    {}
func (Say) action()      {}
func (CopyText) action() {}
func (Item) action()     {}
func (Search) action()   {}
func (Changed) action()  {}

// Search asks for the rows that fit a query, from a menu that does not search its own rows.
type Search struct{ Query string }

// Changed says that a form has changed what it is about.
type Changed struct{ Form *Form }
