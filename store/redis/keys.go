package redis

import "kol-portrait-mcp/schema"

// keys are the names of what is kept. Their common prefix has the scope in
// braces, which puts all of them in one slot of a cluster; a script may touch
// several only there.
type keys string

func keysOf(scope string) keys {
	return keys("kol-portrait:{" + scope + "}:")
}

// portraits is a sorted set: records by RetrievedAt in milliseconds.
func (k keys) portraits(kolID string) string { return string(k) + "portraits:" + kolID }

// days is a sorted set: an entry for each portrait of a KOL, see recordFunctions,
// each with the score 0. Earlier versions make none.
func (k keys) days(kolID string) string { return string(k) + "days:" + kolID }

// saved is a set: the IDs of all portraits.
func (k keys) saved() string { return string(k) + "saved" }

// kols is a sorted set: the ids of all KOLs that have a portrait, each with the
// score 0, which makes their order alphabetical.
func (k keys) kols() string { return string(k) + "kols" }

// lease is a hash, see leaseFields.
func (k keys) lease(kolID string) string { return string(k) + "lease:" + kolID }

// charges is a set: the IDs of a day's charges.
func (k keys) charges(day schema.Day) string { return string(k) + "charges:" + string(day) }

// hits is a number.
func (k keys) hits(day schema.Day) string { return string(k) + "hits:" + string(day) }
