-- Every row belongs to a scope, and is seen only by those who open the file for
-- that scope. Times are milliseconds since 1970, UTC.

-- Every portrait that was paid for. Nothing is ever deleted here. The checksum
-- is over all that is kept of a portrait: SQLite itself would not notice that a
-- value has changed on the disk.
CREATE TABLE portraits (
    scope        TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    kol_id       TEXT    NOT NULL,
    retrieved_at INTEGER NOT NULL,
    as_of        TEXT    NOT NULL,
    endpoint     TEXT    NOT NULL,
    environment  TEXT    NOT NULL,
    sample       INTEGER NOT NULL,
    request_id   TEXT    NOT NULL,
    checksum     INTEGER NOT NULL,
    data         BLOB    NOT NULL,
    UNIQUE (scope, id)
) STRICT;

CREATE INDEX portraits_by_kol ON portraits (scope, kol_id, retrieved_at);

-- The latest lease on each KOL. released_at is 0 until it is released; failure
-- is the JSON of why it brought no portrait, or empty.
CREATE TABLE leases (
    scope       TEXT    NOT NULL,
    kol_id      TEXT    NOT NULL,
    holder      TEXT    NOT NULL,
    fresh       INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    released_at INTEGER NOT NULL,
    failure     TEXT    NOT NULL,
    PRIMARY KEY (scope, kol_id)
) STRICT, WITHOUT ROWID;

-- One row for each call that counts.
CREATE TABLE charges (
    scope      TEXT    NOT NULL,
    day        TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    kol_id     TEXT    NOT NULL,
    charged_at INTEGER NOT NULL,
    PRIMARY KEY (scope, day, id)
) STRICT, WITHOUT ROWID;

-- Answers from the store.
CREATE TABLE hits (
    scope TEXT    NOT NULL,
    day   TEXT    NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (scope, day)
) STRICT, WITHOUT ROWID;
