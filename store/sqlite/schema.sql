-- Version 5; those before 4 were never released. A row belongs to a scope, and
-- is seen only by those who open the file for that scope. Times are milliseconds
-- since 1970, UTC.

-- Every answer of the vendor, in the order of storing.
CREATE TABLE portraits (
    seq          INTEGER PRIMARY KEY,
    scope        TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    kol_id       TEXT    NOT NULL,
    as_of        TEXT    NOT NULL, -- YYYY-MM-DD, or empty
    retrieved_at INTEGER NOT NULL,
    fresh        INTEGER NOT NULL,
    endpoint     TEXT    NOT NULL,
    environment  TEXT    NOT NULL,
    sample       INTEGER NOT NULL,
    request_id   TEXT    NOT NULL,
    data         BLOB,
    UNIQUE (scope, id)
) STRICT;

CREATE INDEX portraits_by_kol ON portraits (scope, kol_id);
CREATE INDEX portraits_by_day ON portraits (scope, kol_id, as_of);

-- The last lease on each KOL. The failure is a schema.Error as JSON, or empty.
CREATE TABLE leases (
    scope   TEXT    NOT NULL,
    kol_id  TEXT    NOT NULL,
    holder  TEXT    NOT NULL,
    failure TEXT    NOT NULL,
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (scope, kol_id)
) STRICT, WITHOUT ROWID;

-- The calls that count on a day. The caller is empty where it has no name.
CREATE TABLE charges (
    scope  TEXT NOT NULL,
    day    TEXT NOT NULL,
    id     TEXT NOT NULL,
    caller TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (scope, day, id)
) STRICT, WITHOUT ROWID;

PRAGMA application_id = 1263488080; -- KOLP
PRAGMA user_version = 5;
