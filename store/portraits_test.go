package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// portrait returns the i-th portrait of a KOL.
func portrait(kolID string, i int) *schema.Portrait {
	return &schema.Portrait{
		ID:          fmt.Sprintf("%s/%d", kolID, i),
		KOLID:       kolID,
		AsOf:        "2026-03-08",
		RetrievedAt: time.Date(2026, time.November, 23, 12, 0, i, 7_000_000, time.UTC),
		Endpoint:    schema.EndpointPortrait,
		Environment: schema.EnvironmentGlobal,
		RequestID:   fmt.Sprintf("request-%d", i),
		Data:        fmt.Appendf(nil, `{"dateKey":"2026-03-08","i":%d}`, i),
	}
}

// ofDay is the i-th portrait of a KOL, with the day asOf.
func ofDay(kolID, asOf string, i int) *schema.Portrait {
	p := portrait(kolID, i)
	p.AsOf = asOf
	return p
}

func (p *pair) save(portrait *schema.Portrait) {
	p.t.Helper()
	p.saveAndKeep(portrait, 0)
}

func (p *pair) saveAndKeep(portrait *schema.Portrait, keep time.Duration) {
	p.t.Helper()
	require.NoError(p.t, p.next().Save(p.t.Context(), portrait, keep))
}

// newestIs asserts what either store says of a KOL's newest portrait.
func (p *pair) newestIs(want *schema.Portrait, kolID string) {
	p.t.Helper()
	for range 2 {
		got, err := p.next().Newest(p.t.Context(), kolID)
		require.NoError(p.t, err)
		assert.Equal(p.t, want, got, kolID)
	}
}

// olderIs asserts what either store says of a KOL's portraits before a day.
func (p *pair) olderIs(want *schema.Portrait, kolID, asOf string) {
	p.t.Helper()
	for range 2 {
		got, err := p.next().Older(p.t.Context(), kolID, asOf)
		require.NoError(p.t, err)
		assert.Equal(p.t, want, got, "%s before %s", kolID, asOf)
	}
}

func (p *pair) kols(prefix string, limit int) []string {
	p.t.Helper()
	ids, err := p.next().KOLs(p.t.Context(), prefix, limit)
	require.NoError(p.t, err)
	return ids
}

func testFields(_ *testing.T, p *pair) {
	changes := map[string]func(*schema.Portrait){
		strings.Repeat("Az09_-xy", 8): func(*schema.Portrait) {},
		"profile": func(s *schema.Portrait) {
			s.Fresh, s.Endpoint, s.Environment = true, schema.EndpointProfile, schema.EnvironmentCN
		},
		"sample":      func(s *schema.Portrait) { s.Environment, s.Sample = schema.EnvironmentSample, true },
		"bare":        func(s *schema.Portrait) { s.AsOf, s.RequestID, s.Data = "", "", nil },
		"now":         func(s *schema.Portrait) { s.RetrievedAt = time.Now() },
		"nanoseconds": func(s *schema.Portrait) { s.RetrievedAt = s.RetrievedAt.Add(999_999) },
		"New-York":    func(s *schema.Portrait) { s.RetrievedAt = s.RetrievedAt.In(time.FixedZone("", -5*60*60)) },
	}
	for name, data := range map[string]string{
		"null":          `null`,
		"not-JSON":      "<html>\n\n{",
		"not-UTF-8":     "{\"\xff\":\"\x80\"}",
		"white-space":   " \t\r\n{ \"a\" :\n[ 1 , 2 ]\r\n}\n\n",
		"numbers":       `{"a":1.0,"b":1e+400,"c":-0,"d":123456789012345678901234567890}`,
		"order":         `{"b":1,"a":2,"b":3}`,
		"escapes":       `{"a":"\u0000\u003c\ud83d\ude00\/<>&` + "\u2028" + `"}`,
		"mark-in-front": "\ufeff{\"海外\":\"\U0001F600\"}",
		"zero-bytes":    "\x00{\"a\":\"\x00\"}\x00",
		"large":         `{"a":"` + strings.Repeat("海", 500_000) + `"}`,
	} {
		changes[name] = func(s *schema.Portrait) { s.Data = []byte(data) }
	}
	for kolID, change := range changes {
		saved := portrait(kolID, 1)
		change(saved)
		p.save(saved)
		saved.RetrievedAt = saved.RetrievedAt.UTC().Truncate(time.Millisecond)
		p.newestIs(saved, kolID)
		if saved.AsOf != "" {
			p.olderIs(saved, kolID, "9999-12-31")
		}
	}
	for _, kolID := range []string{"unknown", "Bare", "bar", "bare_", ""} {
		p.newestIs(nil, kolID)
	}
}

// A clock that was a month ahead when the first portrait came does not keep
// the later ones from being the newest.
func testNewest(_ *testing.T, p *pair) {
	for i, seconds := range []int{30 * 86_400, 10, 10, 20, 5, -86_400} {
		saved := portrait("kol", i)
		saved.RetrievedAt = saved.RetrievedAt.Add(time.Duration(seconds) * time.Second)
		p.save(saved)
		p.save(portrait("neighbour", i))
		p.newestIs(saved, "kol")
	}
}

// The order of the days is neither that of storing nor that of retrieval.
func testOlder(_ *testing.T, p *pair) {
	for _, saved := range []*schema.Portrait{
		ofDay("kol", "2026-03-08", 40),
		ofDay("kol", "2025-12-31", 70),
		ofDay("kol", "2026-01-31", 20),
		ofDay("kol", "2026-01-31", 30),
		ofDay("kol", "2026-01-31", 10), // stored last of its day
		ofDay("kol", "", 50),
		ofDay("kol", "2026-02-01", 15),
		ofDay("kol", "2026-10-02", 60),
		ofDay("neighbour", "2026-02-07", 45),
		ofDay("kol_", "2026-02-07", 46),
		ofDay("undated", "", 3),
	} {
		p.save(saved)
	}
	for _, test := range []struct {
		kolID, asOf string
		want        *schema.Portrait
	}{
		{"kol", "9999-12-31", ofDay("kol", "2026-10-02", 60)},
		{"kol", "2026-10-02", ofDay("kol", "2026-03-08", 40)},
		{"kol", "2026-03-09", ofDay("kol", "2026-03-08", 40)},
		{"kol", "2026-03-08", ofDay("kol", "2026-02-01", 15)},
		{"kol", "2026-02-01", ofDay("kol", "2026-01-31", 10)},
		{"kol", "2026-01-31", ofDay("kol", "2025-12-31", 70)},
		{"kol", "2025-12-31", nil},
		{"kol", "", nil},
		{"undated", "2026-03-08", nil},
		{"unknown", "2026-03-08", nil},
		{"KOL", "2026-03-08", nil},
	} {
		p.olderIs(test.want, test.kolID, test.asOf)
	}
	between := ofDay("kol", "2026-03-07", 5)
	p.save(between)
	p.olderIs(between, "kol", "2026-03-08")
}

func testSaveAgain(t *testing.T, p *pair) {
	first, second := portrait("kol", 1), portrait("kol", 2)
	p.save(first)
	p.save(second)
	changed := ofDay("kol", "2026-03-09", 1)
	changed.Data = []byte("{}")
	for _, again := range []*schema.Portrait{first, changed} {
		for range 2 {
			p.save(again)
		}
		p.newestIs(second, "kol")
		p.olderIs(second, "kol", "9999-12-31")
	}
	assert.Equal(t, []string{"kol"}, p.kols("", 10))
}

// The i-th portrait is retrieved at the i-th second.
func testKeep(t *testing.T, p *pair) {
	const keep = 10 * time.Second
	january, february, undated := ofDay("kol", "2026-01-01", 0), ofDay("kol", "2026-02-01", 5), ofDay("kol", "", 1)
	p.save(portrait("neighbour", 0))
	for _, saved := range []*schema.Portrait{january, undated, february, ofDay("kol", "2026-03-01", 10)} {
		p.saveAndKeep(saved, keep)
	}
	p.olderIs(january, "kol", "2026-02-01") // as old as may be
	p.saveAndKeep(ofDay("kol", "2026-03-02", 11), keep)
	p.olderIs(nil, "kol", "2026-02-01")
	p.olderIs(february, "kol", "2026-03-01")

	ahead := ofDay("kol", "2026-03-03", 100)
	p.save(ahead) // lets go of none
	behind := ofDay("kol", "2026-03-04", 2)
	p.saveAndKeep(behind, keep)
	p.olderIs(february, "kol", "2026-03-01")
	p.saveAndKeep(ahead, keep) // is there already
	p.newestIs(behind, "kol")
	p.olderIs(ahead, "kol", "2026-03-04")

	last := ofDay("kol", "2026-03-05", 200)
	p.saveAndKeep(last, keep)
	p.newestIs(last, "kol")
	p.olderIs(nil, "kol", "2026-03-05")
	p.olderIs(last, "kol", "9999-12-31")
	p.newestIs(portrait("neighbour", 0), "neighbour")
	assert.Equal(t, []string{"kol", "neighbour"}, p.kols("", 10))
}

func testConcurrentSaves(t *testing.T, p *pair) {
	days := make([]string, 51)
	for i := range days {
		days[i] = time.Unix(int64(i)*86_400, 0).UTC().Format(time.DateOnly)
	}
	atOnce(100, func(i int) { // each twice
		assert.NoError(t, p.next().Save(t.Context(), ofDay("kol", days[i/2], i/2), 0))
	})
	for i := range 50 {
		p.olderIs(ofDay("kol", days[i], i), "kol", days[i+1])
	}
}

func testKOLs(t *testing.T, p *pair) {
	assert.Empty(t, p.kols("", 10))
	ids := []string{"-", "-a", "0", "9", "A", "AB", "Ab", "_", "_a", "a", "a-", "a-b", "a0", "aB", "a_", "a_b", "ab", "abc", "z", "zz"}
	for i := range ids {
		id := ids[(i*7)%len(ids)]
		p.save(portrait(id, 1))
		p.save(portrait(id, 2))
	}
	for _, test := range []struct {
		prefix string
		limit  int
		want   []string
	}{
		{"", 100, ids},
		{"", 4, ids[:4]},
		{"a", 100, []string{"a", "a-", "a-b", "a0", "aB", "a_", "a_b", "ab", "abc"}},
		{"a", 3, []string{"a", "a-", "a-b"}},
		{"A", 100, []string{"A", "AB", "Ab"}},
		{"a_", 100, []string{"a_", "a_b"}},
		{"-", 100, []string{"-", "-a"}},
		{"abcd", 100, nil},
		{"a%", 100, nil},
		{"'", 100, nil},
		{"a\x00", 100, nil},
		{"海", 100, nil},
	} {
		for range 2 {
			got := p.kols(test.prefix, test.limit)
			assert.ElementsMatch(t, test.want, got, "prefix %q, limit %d", test.prefix, test.limit)
			assert.IsNonDecreasing(t, got, "prefix %q, limit %d", test.prefix, test.limit)
		}
	}
}
