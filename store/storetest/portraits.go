package storetest

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

func (start Start) testNoPortrait(t *testing.T) {
	s := start.shared(t)
	save(t, s.one, portrait("known", 1))
	for _, kolID := range []string{"unknown", "Known", "know", "known_", ""} {
		assert.Nil(t, newest(t, s.other, kolID), "%q", kolID)
	}
}

func (start Start) testPortraitFields(t *testing.T) {
	s := start.shared(t)
	full := portrait("full", 1)
	other := portrait("other", 1)
	other.Endpoint, other.Environment = schema.EndpointProfile, schema.EnvironmentCN
	sample := portrait("sample", 1)
	sample.Environment, sample.Sample = schema.EnvironmentSample, true
	bare := portrait("bare", 1)
	bare.AsOf, bare.RequestID = "", ""
	longest := portrait(strings.Repeat("Az09_-xy", 8), 1)

	for _, want := range []store.Portrait{full, other, sample, bare, longest} {
		save(t, s.one, want)
		for _, handle := range s.both() {
			got := newest(t, handle, want.KOLID)
			require.NotNil(t, got, want.KOLID)
			assert.Equal(t, want, *got)
		}
	}
}

func (start Start) testData(t *testing.T) {
	s := start.shared(t)
	for name, data := range map[string]string{
		"empty-object":  `{}`,
		"white-space":   " \t\r\n{ \"a\" :\n[ 1 , 2 ]\r\n}\n\n",
		"numbers":       `{"a":1.0,"b":1e+400,"c":-0,"d":123456789012345678901234567890,"e":0.30000000000000004}`,
		"order":         `{"b":1,"a":2,"b":3}`,
		"escapes":       `{"a":"\u0000\u003c\ud83d\ude00\/<>&` + "\u2028\u2029" + `"}`,
		"utf-8":         "{\"海外\":\"\U0001F600 \ufeff \ufffd \u202e e\u0301 \uffff \x7f\"}",
		"mark-in-front": "\ufeff{}",
		"zero-bytes":    "{\"a\":\"\x00\"}\x00",
		"number-alone":  `17`,
		"large":         `{"a":"` + strings.Repeat("海", 500_000) + `"}`,
	} {
		p := portrait(name, 1)
		p.Data = json.RawMessage(data)
		save(t, s.one, p)
		got := newest(t, s.other, name)
		require.NotNil(t, got, name)
		assert.Equal(t, data, string(got.Data), name)
	}
}

func (start Start) testDataIsCopied(t *testing.T) {
	s := start.shared(t)
	p := portrait("kol", 1)
	want := string(p.Data)
	save(t, s.one, p)
	clear(p.Data)
	for _, handle := range s.both() {
		assert.Equal(t, want, string(newest(t, handle, "kol").Data))
	}
}

func (start Start) testTimes(t *testing.T) {
	s := start.shared(t)
	newYork := time.FixedZone("New York", -5*60*60)
	for name, at := range map[string]time.Time{
		"whole":      noon(),
		"millis":     noon().Add(7 * time.Millisecond),
		"nanos":      noon().Add(7*time.Millisecond + 999_999),
		"other-zone": time.Date(2026, time.November, 22, 23, 59, 59, 1_000_000, newYork),
		"now":        time.Now(),
	} {
		p := portrait(name, 1)
		p.RetrievedAt = at
		save(t, s.one, p)
		for _, handle := range s.both() {
			got := newest(t, handle, name).RetrievedAt
			assert.Equal(t, at.UTC().Truncate(time.Millisecond), got, name)
		}
	}
}

func (start Start) testNewest(t *testing.T) {
	s := start.shared(t)
	for _, step := range []struct{ save, newest int }{
		{50, 50}, {10, 50}, {51, 51}, {49, 51}, {90_000_000, 90_000_000}, {-5, 90_000_000}, {9_000_000, 90_000_000},
	} {
		want := portrait("kol", step.newest)
		save(t, s.one, portrait("kol", step.save))
		save(t, s.other, portrait("neighbour", step.save+1))
		for _, handle := range s.both() {
			assert.Equal(t, want, *newest(t, handle, "kol"))
		}
	}
}

// ofDay is a portrait of the day asOf that was retrieved at i.
func ofDay(kolID, asOf string, i int) store.Portrait {
	p := portrait(kolID, i)
	p.AsOf = asOf
	return p
}

func older(t *testing.T, s store.Store, kolID, asOf string) *store.Portrait {
	t.Helper()
	p, err := s.Older(t.Context(), kolID, asOf)
	require.NoError(t, err)
	return p
}

// The order of the days is neither that of retrieval nor that of saving.
func (start Start) testOlder(t *testing.T) {
	s := start.shared(t)
	for i, p := range []store.Portrait{
		ofDay("kol", "2026-03-08", 40),
		ofDay("kol", "2025-12-31", 70), // an old day, retrieved late
		ofDay("kol", "2026-01-31", 20),
		ofDay("kol", "2026-01-31", 30), // the last of its day
		ofDay("kol", "2026-01-31", 10),
		ofDay("kol", "", 50),
		ofDay("kol", "2026-02-01", 15),
		ofDay("kol", "", 1),
		ofDay("kol", "2026-10-02", 60),
		ofDay("neighbour", "2026-02-07", 45),
		ofDay("kol_", "2026-02-07", 46),
	} {
		save(t, s.handle(i), p)
	}
	for asOf, want := range map[string]store.Portrait{
		"2026-10-03": ofDay("kol", "2026-10-02", 60),
		"2026-10-02": ofDay("kol", "2026-03-08", 40),
		"2026-03-09": ofDay("kol", "2026-03-08", 40),
		"2026-03-08": ofDay("kol", "2026-02-01", 15),
		"2026-02-07": ofDay("kol", "2026-02-01", 15),
		"2026-02-01": ofDay("kol", "2026-01-31", 30),
		"2026-01-31": ofDay("kol", "2025-12-31", 70),
		"2026-01-01": ofDay("kol", "2025-12-31", 70),
		"9999-12-31": ofDay("kol", "2026-10-02", 60),
	} {
		for _, handle := range s.both() {
			got := older(t, handle, "kol", asOf)
			require.NotNil(t, got, asOf)
			assert.Equal(t, want, *got, asOf)
		}
	}

	save(t, s.one, ofDay("kol", "2026-03-07", 5))
	for _, handle := range s.both() {
		assert.Equal(t, ofDay("kol", "2026-03-07", 5), *older(t, handle, "kol", "2026-03-08"), "one that comes in between")
	}
}

func (start Start) testNoneOlder(t *testing.T) {
	s := start.shared(t)
	save(t, s.one, ofDay("kol", "2026-03-08", 1))
	save(t, s.one, ofDay("kol", "", 2))
	save(t, s.one, ofDay("undated", "", 3))
	for _, handle := range s.both() {
		assert.Nil(t, older(t, handle, "kol", "2026-03-08"), "its own day")
		assert.Nil(t, older(t, handle, "kol", "2026-03-07"))
		assert.Nil(t, older(t, handle, "kol", "0001-01-01"))
		assert.Nil(t, older(t, handle, "kol", ""), "before no day")
		assert.Nil(t, older(t, handle, "undated", "2026-03-08"), "without a day")
		assert.Nil(t, older(t, handle, "unknown", "2026-03-08"))
		assert.Nil(t, older(t, handle, "ko", "2026-03-09"))
		assert.Nil(t, older(t, handle, "KOL", "2026-03-09"))
	}
}

func (start Start) testOlderFields(t *testing.T) {
	s := start.shared(t)
	want := ofDay("kol", "2026-03-08", 1)
	want.Endpoint, want.Environment, want.Sample = schema.EndpointProfile, schema.EnvironmentSample, true
	want.Data = json.RawMessage(" {\"海外\":\n1.0, \"a\":\"\u2028\x00\"}\n")
	data := string(want.Data)
	save(t, s.one, want)
	save(t, s.one, ofDay("kol", "2026-03-09", 2))
	for _, handle := range s.both() {
		got := older(t, handle, "kol", "2026-03-09")
		require.NotNil(t, got)
		assert.Equal(t, want, *got)
		assert.Equal(t, data, string(got.Data))
	}
}

func (start Start) testOlderOfMany(t *testing.T) {
	s := start.shared(t)
	first := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	dayOf := func(i int) string { return first.AddDate(0, 0, i).Format(time.DateOnly) }
	const days = 200
	for i := range days {
		save(t, s.handle(i), ofDay("kol", dayOf(i), i))
	}
	for i := range days {
		got := older(t, s.handle(i), "kol", dayOf(i+1))
		require.NotNil(t, got, dayOf(i+1))
		assert.Equal(t, dayOf(i), got.AsOf)
	}
}

func (start Start) testSaveAgain(t *testing.T) {
	s := start.shared(t)
	first := portrait("kol", 1)
	save(t, s.one, first)
	save(t, s.one, first)
	save(t, s.other, first)

	for name, change := range map[string]func(p *store.Portrait){
		"newer":      func(p *store.Portrait) { p.RetrievedAt = p.RetrievedAt.Add(time.Hour) },
		"other data": func(p *store.Portrait) { p.Data = json.RawMessage(`{}`) },
		"other KOL":  func(p *store.Portrait) { p.KOLID = "thief" },
	} {
		again := first
		change(&again)
		save(t, s.other, again)
		assert.Equal(t, first, *newest(t, s.one, "kol"), name)
	}
	assert.Nil(t, newest(t, s.one, "thief"))
	assert.Equal(t, []string{"kol"}, kols(t, s.one, "", 10))
}

func (start Start) testConcurrentSaves(t *testing.T) {
	s := start.shared(t)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			assert.NoError(t, s.handle(i).Save(t.Context(), portrait("kol", i/2)))
		})
	}
	group.Wait()
	for _, handle := range s.both() {
		assert.Equal(t, portrait("kol", 49), *newest(t, handle, "kol"))
	}
}

func kols(t *testing.T, s store.Store, prefix string, limit int) []string {
	t.Helper()
	ids, err := s.KOLs(t.Context(), prefix, limit)
	require.NoError(t, err)
	return ids
}

func (start Start) testKOLs(t *testing.T) {
	s := start.shared(t)
	assert.Empty(t, kols(t, s.one, "", 10))

	alphabetical := []string{"-", "-a", "0", "9", "A", "AB", "Ab", "B", "_", "_a", "a", "a-", "a-b", "a0", "aB", "a_", "a_b", "ab", "abc", "b", "z", "zz"}
	for i := range alphabetical {
		id := alphabetical[(i*7)%len(alphabetical)]
		save(t, s.handle(i), portrait(id, 1))
		save(t, s.handle(i), portrait(id, 2))
	}

	for _, test := range []struct {
		prefix string
		limit  int
		want   []string
	}{
		{"", 100, alphabetical},
		{"", 4, alphabetical[:4]},
		{"", 1, alphabetical[:1]},
		{"a", 100, []string{"a", "a-", "a-b", "a0", "aB", "a_", "a_b", "ab", "abc"}},
		{"a", 3, []string{"a", "a-", "a-b"}},
		{"A", 100, []string{"A", "AB", "Ab"}},
		{"a_", 100, []string{"a_", "a_b"}},
		{"a-", 100, []string{"a-", "a-b"}},
		{"_", 100, []string{"_", "_a"}},
		{"-", 100, []string{"-", "-a"}},
		{"ab", 100, []string{"ab", "abc"}},
		{"abc", 100, []string{"abc"}},
		{"z", 100, []string{"z", "zz"}},
		{"a", 0, nil},
		{"abcd", 100, nil},
		{"%", 100, nil},
		{"a%", 100, nil},
		{"*", 100, nil},
		{"a*", 100, nil},
		{"?", 100, nil},
		{"[a]", 100, nil},
		{`\`, 100, nil},
		{"'", 100, nil},
		{`"`, 100, nil},
		{" ", 100, nil},
		{"~", 100, nil},
		{"\x00", 100, nil},
		{"a\x00", 100, nil},
		{"海", 100, nil},
		{"\xff", 100, nil},
	} {
		for _, handle := range s.both() {
			got := kols(t, handle, test.prefix, test.limit)
			assert.ElementsMatch(t, test.want, got, "prefix %q, limit %d", test.prefix, test.limit)
			assert.IsNonDecreasing(t, got, "prefix %q, limit %d", test.prefix, test.limit)
		}
	}
}
