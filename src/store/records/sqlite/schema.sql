-- What the journal says, laid out for questions. Disposable: it is filled from
-- the journal, and filled anew whenever this file changes (SCHEMA_VERSION).
-- Times are microseconds since 1970 (UTC), ids of decisions 16 bytes.

CREATE TABLE progress (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    position INTEGER NOT NULL            -- last journal record that is in here
) STRICT;
INSERT INTO progress VALUES (1, 0);

CREATE TABLE decisions (
    position         INTEGER PRIMARY KEY,
    decision_id      BLOB NOT NULL,
    request_id       TEXT NOT NULL,
    channel          TEXT NOT NULL,
    order_id         TEXT NOT NULL,
    revision         INTEGER NOT NULL,
    event_time_us    INTEGER NOT NULL,
    received_time_us INTEGER NOT NULL,
    state            INTEGER NOT NULL,   -- 0 final, 1 degraded, 2 abstained
    top_head         TEXT,               -- of the highest band, then probability
    probability      REAL,
    band             INTEGER,            -- 0 low, 1 elevated, 2 high
    first_action     TEXT,
    amount_minor     INTEGER,
    currency         TEXT,
    model            TEXT NOT NULL,
    strategy         TEXT NOT NULL,
    account          TEXT,               -- pseudonym of who ordered
    reason           TEXT,               -- its first sentence as JSON
    is_blind         INTEGER NOT NULL    -- 1 when it is seen only after a choice
) STRICT;
CREATE UNIQUE INDEX decisions_by_id ON decisions (decision_id);
CREATE INDEX decisions_by_request ON decisions (request_id);
CREATE INDEX decisions_by_order ON decisions (channel, order_id);
CREATE INDEX decisions_by_time ON decisions (received_time_us, decision_id);
CREATE INDEX decisions_by_account ON decisions (account) WHERE account IS NOT NULL;

CREATE TABLE events (
    event_id TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Steps of orders; choices and outcomes have tables of their own.
CREATE TABLE order_events (
    channel       TEXT NOT NULL,
    order_id      TEXT NOT NULL,
    event_time_us INTEGER NOT NULL,
    position      INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    PRIMARY KEY (channel, order_id, event_time_us, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_counts (
    kind     TEXT PRIMARY KEY,
    n_events INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE choices (
    choice_id     TEXT PRIMARY KEY,
    position      INTEGER NOT NULL,
    decision_id   BLOB NOT NULL,
    operator_id   TEXT NOT NULL,
    action        TEXT NOT NULL,
    decided_at_us INTEGER NOT NULL,
    body          TEXT NOT NULL          -- the whole choice as JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX choices_by_decision ON choices (decision_id, position);

CREATE TABLE outcomes (
    outcome_id     TEXT PRIMARY KEY,
    position       INTEGER NOT NULL,
    decision_id    BLOB,
    channel        TEXT,
    order_id       TEXT,
    occurred_at_us INTEGER NOT NULL,
    retracts       TEXT,                 -- the outcome that it takes back
    body           TEXT NOT NULL         -- the whole outcome as JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX outcomes_by_decision ON outcomes (decision_id) WHERE decision_id IS NOT NULL;
CREATE INDEX outcomes_by_order ON outcomes (channel, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX outcomes_by_retracted ON outcomes (retracts) WHERE retracts IS NOT NULL;

-- Decisions that somebody chose about or an outcome of which stands.
CREATE TABLE closed_cases (
    decision_position INTEGER PRIMARY KEY,
    told_position     INTEGER NOT NULL,  -- of the newest choice or outcome
    told_time_us      INTEGER NOT NULL,  -- when that came in
    action            TEXT,              -- what was done: chosen, else recommended first
    operator_id       TEXT,              -- who chose, and when; NULL when nobody did
    decided_at_us     INTEGER,
    kinds             TEXT NOT NULL      -- of the outcomes that stand, a JSON list
) STRICT;

-- Each closed case under each way to ask for it; an empty text is any. So every filter is
-- one place in this tree, and a page is read off it without looking at another case.
CREATE TABLE case_facets (
    kind              TEXT NOT NULL,
    action            TEXT NOT NULL,
    head              TEXT NOT NULL,
    told_position     INTEGER NOT NULL,
    decision_position INTEGER NOT NULL,
    PRIMARY KEY (kind, action, head, told_position)
) STRICT, WITHOUT ROWID;

CREATE TABLE activations (
    position INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,              -- strategy, model or background
    name     TEXT NOT NULL,
    hash     TEXT NOT NULL,
    at_us    INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    position      INTEGER PRIMARY KEY,
    sequence      INTEGER NOT NULL,      -- not unique: a broken chain shows as it is
    at_us         INTEGER NOT NULL,
    actor         TEXT NOT NULL,
    action        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    detail        TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash          TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_sequence ON audit (sequence);
CREATE INDEX audit_by_actor ON audit (actor, sequence);

CREATE TABLE notes (
    note_id     TEXT PRIMARY KEY,
    position    INTEGER NOT NULL,
    decision_id BLOB NOT NULL,
    author      TEXT NOT NULL,
    at_us       INTEGER NOT NULL,
    kind        TEXT NOT NULL,           -- note or exemplar
    body        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notes_by_decision ON notes (decision_id, position);
