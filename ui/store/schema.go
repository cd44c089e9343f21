package store

// applicationID marks a database as ours: "hotc".
const applicationID = 0x686f7463

// migrations lead from one version of the tables to the next; the version is the number of those done, kept
// in SQLite's user_version. A published migration is never changed: a change is a new one at the end.
var migrations = []string{`
	CREATE TABLE chats (
		id      INTEGER PRIMARY KEY AUTOINCREMENT,
		title   TEXT    NOT NULL,
		role    TEXT    NOT NULL,
		model   TEXT    NOT NULL,
		created INTEGER NOT NULL,            -- all times in ms since 1970
		updated INTEGER NOT NULL,            -- of the last message
		deleted INTEGER NOT NULL DEFAULT 0,  -- 0: it is not
		leaf    INTEGER NOT NULL DEFAULT 0   -- the message at which the chat stands; 0: it has none
	) STRICT;
	CREATE INDEX chats_recent ON chats(deleted, updated);

	CREATE TABLE messages (
		id       INTEGER PRIMARY KEY AUTOINCREMENT,
		chat     INTEGER NOT NULL REFERENCES chats(id) ON DELETE CASCADE,
		parent   INTEGER,                     -- null: first of its chat
		chosen   INTEGER NOT NULL DEFAULT 0,  -- the child that was last on screen; 0: none
		speaker  TEXT    NOT NULL,            -- user or assistant
		text     TEXT    NOT NULL,
		thought  TEXT    NOT NULL DEFAULT '',
		state    TEXT    NOT NULL,
		writer   INTEGER NOT NULL DEFAULT 0,  -- who writes it while state is 'writing' (writers.go)
		role     TEXT    NOT NULL DEFAULT '',
		model    TEXT    NOT NULL DEFAULT '',
		notice   TEXT    NOT NULL DEFAULT '',
		ending   TEXT    NOT NULL DEFAULT '',
		prompt   INTEGER NOT NULL DEFAULT 0,  -- tokens
		tokens   INTEGER NOT NULL DEFAULT 0,
		rate     REAL    NOT NULL DEFAULT 0,  -- tokens per second
		first_ms INTEGER NOT NULL DEFAULT 0,  -- from sending to the first text
		created  INTEGER NOT NULL,
		finished INTEGER NOT NULL DEFAULT 0,
		UNIQUE (chat, id),
		FOREIGN KEY (chat, parent) REFERENCES messages(chat, id),
		CHECK (parent < id)  -- so that no chain of parents is a ring
	) STRICT;
	CREATE INDEX messages_parent ON messages(chat, parent);
	CREATE INDEX messages_writing ON messages(writer) WHERE state = 'writing';

	CREATE TABLE inputs (
		id   INTEGER PRIMARY KEY AUTOINCREMENT,
		text TEXT NOT NULL
	) STRICT;
` + searchTable}

// searchTable holds for each message that is no longer written the groups of three letters in it. It keeps
// no text and no positions, which makes it a fraction of the size of a full index: what is found is checked
// against the message itself. The text is folded before it gets here, so the index folds nothing.
const searchTable = `
	CREATE VIRTUAL TABLE search USING fts5(text,
		content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1');
`
