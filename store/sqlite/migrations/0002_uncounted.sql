-- The days whose charges were lost, in part or as a whole, with a damaged file:
-- what is counted of them is not all there was, in whatever scope.
CREATE TABLE uncounted (
    day TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
