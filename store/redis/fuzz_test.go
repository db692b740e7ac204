package redis

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/redact"
)

// FuzzRecord reads what others may have written to the keys: a portrait, the
// fields of a lease, a number of hits. What is accepted is the KOL's own and the
// same when it is written and read again; what is refused is not quoted.
func FuzzRecord(f *testing.F) {
	const head = `{"id":"A","kolId":"kol","asOf":"2026-03-08","retrievedAt":1774000000000,"endpoint":"portrait","environment":"global"`
	for _, record := range []string{
		head + "}\n" + `{"ages":[]}`,
		head + `,"sample":true,"requestId":"r-1","later":[1]}` + "\n",
		head + "}",
		`{"id":"A","kolId":"another"}` + "\n{}",
		`{"ID":"A","KOLID":"kol","retrievedAt":-9223372036854775808}` + "\n\n",
		"null\n", "\n", "",
	} {
		f.Add("kol", record, "A", "1", `{"kind":"timeout","message":"m","retryable":true,"charged":true}`, "12")
	}
	f.Add("", "{}\n", "", "", "null", "-1")
	f.Add("kol", "[]\n", "B", "yes", `{"kind":1}`, "1e3")
	store := &Store{secrets: redact.New()}
	f.Fuzz(func(t *testing.T, kolID, record, holder, set, failure, hits string) {
		checkRecord(t, kolID, record)
		checkLease(t, store, holder, set, failure)
		checkHits(t, hits)
	})
}

func checkRecord(t *testing.T, kolID, record string) {
	t.Helper()
	p, err := decode(kolID, record)
	if err != nil {
		require.Nil(t, p)
		require.Equal(t, errForeign, err)
		return
	}
	require.Equal(t, kolID, p.KOLID)
	require.NotEmpty(t, p.ID)
	_, data, _ := strings.Cut(record, "\n")
	require.Equal(t, data, string(p.Data), "byte for byte")
	written, err := encode(*p)
	require.NoError(t, err)
	again, err := decode(kolID, written)
	require.NoError(t, err)
	require.Equal(t, p, again)
	_, err = decode(kolID+"x", written)
	require.Equal(t, errForeign, err, "another KOL's")
}

func checkLease(t *testing.T, s *Store, holder, set, failure string) {
	t.Helper()
	l, err := s.lease("read the lease", []any{holder, set, set, failure})
	if err != nil {
		require.Zero(t, l)
		require.ErrorIs(t, err, errLease)
		require.Equal(t, "redis: read the lease: "+errLease.Error(), err.Error())
		return
	}
	require.Equal(t, holder, l.Holder)
	require.Equal(t, set == "1", l.Fresh)
	require.Equal(t, set == "1", l.Released)
	if l.Failure == nil {
		return
	}
	written, err := json.Marshal(l.Failure)
	require.NoError(t, err)
	again, err := s.lease("read the lease", []any{holder, set, set, string(written)})
	require.NoError(t, err)
	require.Equal(t, l, again)
}

func checkHits(t *testing.T, hits string) {
	t.Helper()
	c, err := counts(3, hits)
	if err != nil {
		require.Zero(t, c, "what is not known is no figure")
		return
	}
	require.Equal(t, 3, c.Charged)
	if hits == "" {
		require.Zero(t, c.Hits)
		return
	}
	n, err := strconv.ParseInt(hits, 10, 64)
	require.NoError(t, err)
	require.EqualValues(t, n, c.Hits)
}
