-- What a portrait is compared with is found by its day.
CREATE INDEX portraits_by_day ON portraits (scope, kol_id, as_of, retrieved_at);
