-- The tables of ../sqlite/schema.sql in PostgreSQL: what they mean is told there.
-- Texts compare by their bytes, as they do in SQLite.

CREATE TABLE progress (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    position BIGINT NOT NULL,            -- last journal record that is in here
    digest   BYTEA NOT NULL,             -- of that record
    is_whole BOOLEAN NOT NULL            -- false until the first time that nothing was missing
);
INSERT INTO progress VALUES (1, 0, '', FALSE);

CREATE TABLE decisions (
    position         BIGINT PRIMARY KEY,
    decision_id      BYTEA NOT NULL,
    request_id       TEXT COLLATE "C" NOT NULL,
    channel          TEXT COLLATE "C" NOT NULL,
    order_id         TEXT COLLATE "C" NOT NULL,
    revision         BIGINT NOT NULL,
    event_time_us    BIGINT NOT NULL,
    received_time_us BIGINT NOT NULL,
    state            BIGINT NOT NULL,
    top_head         TEXT COLLATE "C",
    probability      DOUBLE PRECISION,
    band             BIGINT,
    first_action     TEXT COLLATE "C",
    amount_minor     BIGINT,
    currency         TEXT COLLATE "C",
    model            TEXT COLLATE "C" NOT NULL,
    strategy         TEXT COLLATE "C" NOT NULL,
    account          TEXT COLLATE "C",
    reason           TEXT COLLATE "C",
    is_blind         BIGINT NOT NULL
);
CREATE UNIQUE INDEX decisions_by_id ON decisions (decision_id);
CREATE INDEX decisions_by_request ON decisions (request_id);
CREATE INDEX decisions_by_order ON decisions (channel, order_id, position);
CREATE INDEX decisions_by_time ON decisions (received_time_us, decision_id);
CREATE INDEX decisions_by_account ON decisions (account, position) WHERE account IS NOT NULL;

CREATE TABLE events (
    event_id TEXT COLLATE "C" PRIMARY KEY,
    position BIGINT NOT NULL
);

CREATE TABLE order_events (
    channel       TEXT COLLATE "C" NOT NULL,
    order_id      TEXT COLLATE "C" NOT NULL,
    event_time_us BIGINT NOT NULL,
    position      BIGINT NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (channel, order_id, event_time_us, position)
);

CREATE TABLE event_counts (
    kind     TEXT COLLATE "C" PRIMARY KEY,
    n_events BIGINT NOT NULL
);

CREATE TABLE choices (
    choice_id     TEXT COLLATE "C" PRIMARY KEY,
    position      BIGINT NOT NULL,
    decision_id   BYTEA NOT NULL,
    operator_id   TEXT COLLATE "C" NOT NULL,
    action        TEXT COLLATE "C" NOT NULL,
    decided_at_us BIGINT NOT NULL,
    body          TEXT COLLATE "C" NOT NULL
);
CREATE INDEX choices_by_decision ON choices (decision_id, position);

CREATE TABLE outcomes (
    outcome_id     TEXT COLLATE "C" PRIMARY KEY,
    position       BIGINT NOT NULL,
    decision_id    BYTEA,
    channel        TEXT COLLATE "C",
    order_id       TEXT COLLATE "C",
    occurred_at_us BIGINT NOT NULL,
    retracts       TEXT COLLATE "C",
    body           TEXT COLLATE "C" NOT NULL
);
CREATE INDEX outcomes_by_decision ON outcomes (decision_id) WHERE decision_id IS NOT NULL;
CREATE INDEX outcomes_by_order ON outcomes (channel, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX outcomes_by_retracted ON outcomes (retracts) WHERE retracts IS NOT NULL;

CREATE TABLE closed_cases (
    decision_position BIGINT PRIMARY KEY,
    told_position     BIGINT NOT NULL,
    told_time_us      BIGINT NOT NULL,
    action            TEXT COLLATE "C",
    operator_id       TEXT COLLATE "C",
    decided_at_us     BIGINT,
    kinds             TEXT COLLATE "C" NOT NULL
);

CREATE TABLE case_facets (
    kind              TEXT COLLATE "C" NOT NULL,
    action            TEXT COLLATE "C" NOT NULL,
    head              TEXT COLLATE "C" NOT NULL,
    told_position     BIGINT NOT NULL,
    decision_position BIGINT NOT NULL,
    PRIMARY KEY (kind, action, head, told_position)
);

CREATE TABLE activations (
    position BIGINT PRIMARY KEY,
    kind     TEXT COLLATE "C" NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    hash     TEXT COLLATE "C" NOT NULL,
    at_us    BIGINT NOT NULL
);

CREATE TABLE audit (
    position      BIGINT PRIMARY KEY,
    sequence      BIGINT NOT NULL,
    at_us         BIGINT NOT NULL,
    actor         TEXT COLLATE "C" NOT NULL,
    action        TEXT COLLATE "C" NOT NULL,
    subject       TEXT COLLATE "C" NOT NULL,
    detail        TEXT COLLATE "C" NOT NULL,
    previous_hash TEXT COLLATE "C" NOT NULL,
    hash          TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_by_sequence ON audit (sequence);
CREATE INDEX audit_by_actor ON audit (actor, sequence);

CREATE TABLE notes (
    note_id     TEXT COLLATE "C" PRIMARY KEY,
    position    BIGINT NOT NULL,
    decision_id BYTEA NOT NULL,
    author      TEXT COLLATE "C" NOT NULL,
    at_us       BIGINT NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    body        TEXT COLLATE "C" NOT NULL
);
CREATE INDEX notes_by_decision ON notes (decision_id, position);
