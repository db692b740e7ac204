package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"html"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/redact"
	"kol-portrait-mcp/schema"
)

// FuzzDecode takes the vendor's answer apart. What is accepted is JSON, within
// the bounds that decode.go states, the same however often it is read, and no
// longer accepted once its end is missing.
func FuzzDecode(f *testing.F) {
	recorded, err := os.ReadFile("../testdata/documented-response.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(recorded, 100)
	for i, seed := range []string{
		good,
		`{"code":301,"message":"Collection failed. Please retry.","data":null,"recordTime":"2026-03-08","requestId":"r-1"}`,
		`{"code":0,"data":{"ages":[{"group":"<18","percent":1.0000005},{"group":"18-24","percent":-0}],"dateKey":"2026-02-30"}}`,
		`{"code":0,"data":{"gender":{"female":1.00001}}}`, `{"code":0,"data":{"cities":[{"name":" a ","percent":0.5},{"name":"a","percent":0}]}}`, `{"code":0}{}`,
		`{"code":0,"data":{"devices":[{"name":"a","desc":"\u82f9","percent":5e-1},{"name":"a","percent":1e400}]}}`,
		`{"code":0,"data":{"cities":[{"name":"\ud800","percent":null}],"provinces":{},"gender":{"male":"0.5"}}}`,
		`{"code":"0","data":[]}`, `[1,2`, `{"code":0,"data":{"interests":[{"name":"x"`, `<!DOCTYPE html>`, ``,
		"\ufeff" + good, `{"message":"a","code":0,"message":"b","data":{"cities":[{"name":"\u3164 ","percent":0}]}}`,
	} {
		f.Add([]byte(seed), i)
	}
	f.Fuzz(func(t *testing.T, body []byte, cut int) {
		env, err := decodeEnvelope(body)
		if err != nil {
			return
		}
		whole := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
		if !json.Valid(whole) {
			t.Fatalf("accepted what is not JSON: %q", body)
		}
		if env.data != nil && (!json.Valid(env.data) || !bytes.Contains(body, env.data)) {
			t.Fatalf("data %q is not the input's own", env.data)
		}
		part := whole[:1+int(uint(cut)%uint(len(whole)-1))] // one brace at least, but not the last one
		if _, err := decodeEnvelope(part); !errors.Is(err, errIncomplete) {
			t.Fatalf("of %q is left %q: %v", whole, part, err)
		}
		p, err := decodePortrait(env.data)
		if err != nil {
			return
		}
		checkPortrait(t, p)
		checkReadAgain(t, p)
	})
}

// checkReadAgain checks that a portrait as this server writes it is the same
// when it is read.
func checkReadAgain(t *testing.T, p portrait) {
	t.Helper()
	written, err := json.Marshal(struct {
		schema.Distributions
		DateKey string `json:"dateKey"`
	}{p.distributions, p.asOf})
	require.NoError(t, err)
	again, err := decodePortrait(written)
	require.NoError(t, err)
	require.Equal(t, p, again)
}

// spelledToken is long enough for the names of members to be looked at too, and
// looks different in every spelling.
const spelledToken = "made-up&token/+1"

// FuzzAnswer judges whole answers: status, Retry-After and body, in which an @
// stands for the token, %@ for the token as a query has it, and &@ for the token
// as HTML has it.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []struct {
		status     uint16
		retryAfter string
		body       string
	}{
		{200, "", good},
		{200, "", `{"code":0,"data":{"cities":[{"name":"@","percent":0.1}]},"requestId":"r-1"}`},
		{200, "", `{"code":0,"data":{"cities":[{"name":"a","percent":0.1}],"%@":1}}`},
		{200, "", `{"code":0,"data":{},"requestId":"@"}`},
		{503, "7", `{"code":503,"message":"wait @ \u202e\n or %@ &@","requestId":"a b"}`},
		{429, "86401", `{"code":302,"message":null}`},
		{200, "Fri, 31 Dec 2027 23:59:59 GMT", `{"code":301,"message":"@"}`},
		{429, "99999999999999999999", `slow down, @`},
		{500, "-1", `{"code":0,"data":`},
		{504, " 10 ", `<html>@`},
		{302, "1.5", ``},
		{401, "Thursday, 01-Jan-70 00:00:00 GMT", `{"code":100}`},
		{299, "0x10", `{"code":9223372036854775808}`},
	} {
		f.Add(seed.status, seed.retryAfter, []byte(seed.body))
	}
	spell := strings.NewReplacer("%@", url.QueryEscape(spelledToken), "&@", html.EscapeString(spelledToken), "@", spelledToken)
	cfg := testConfig(nil)
	cfg.Token = spelledToken
	client, token := New(cfg), redact.New(spelledToken)
	now := time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, status uint16, wait string, body []byte) {
		header := http.Header{"Retry-After": {wait}}
		checkWait(t, wait, retryAfter(header, now))
		a := answer{endpoint: portraitEndpoint(), kolID: someID, status: 200 + int(status)%400, header: header, body: []byte(spell.Replace(string(body)))}
		env, broken := decodeEnvelope(a.body)
		collected, fail := client.judge(a)
		if fail == nil {
			require.NoError(t, broken)
			require.Zero(t, env.code)
			checkCollected(t, collected, a)
			return
		}
		asked := collection{client: client}
		told := client.told(asked.removed(fail))
		checkTold(t, token, told)
		if broken != nil {
			return
		}
		if env.code == 0 {
			require.Equal(t, schema.BadResponse, told.Kind)
			require.True(t, told.Charged)
			return
		}
		require.Equal(t, env.code, told.UpstreamCode)
		require.False(t, told.Charged, "only code 0 is charged")
		a.status = http.StatusOK
		_, fail = client.judge(a)
		require.Equal(t, told.Message, client.told(asked.removed(fail)).Message, "the code counts, whatever the status")
	})
}

// checkWait holds a wait against the value of Retry-After that it was read from.
func checkWait(t *testing.T, value string, wait time.Duration) {
	t.Helper()
	require.GreaterOrEqual(t, wait, time.Duration(0))
	require.LessOrEqual(t, wait, maxToldWait)
	value = strings.TrimSpace(value)
	seconds, ok := new(big.Int).SetString(value, 10)
	if ok && strings.Trim(value, "0123456789") == "" {
		day := big.NewInt(int64(maxToldWait / time.Second))
		if seconds.Cmp(day) > 0 {
			seconds = day
		}
		require.Equal(t, time.Duration(seconds.Int64())*time.Second, wait)
	}
}

func checkCollected(t *testing.T, c *schema.Collected, a answer) {
	t.Helper()
	require.Equal(t, a.kolID, c.KOLID)
	require.True(t, c.Source.Charged)
	require.Regexp(t, `^([0-9]{4}-[0-9]{2}-[0-9]{2})?$`, c.AsOf)
	require.Regexp(t, `^[A-Za-z0-9._:-]{0,128}$`, c.Source.RequestID)
	require.Contains(t, string(a.body), string(c.Data))
	require.NotContains(t, string(c.Data), spelledToken)
	require.NotContains(t, string(c.Data), url.QueryEscape(spelledToken))
	stored, err := Distributions(c.Data)
	require.NoError(t, err)
	require.Equal(t, c.Distributions, stored, "read from the store it is the same")
}

// checkTold checks that an error can be shown anywhere and tells what to do.
func checkTold(t *testing.T, token *redact.Hider, told *schema.Error) {
	t.Helper()
	require.False(t, token.Found(told.Message), "%q", told.Message)
	require.LessOrEqual(t, utf8.RuneCountInString(told.Message), 800)
	require.True(t, strings.HasSuffix(told.Message, "."), "%q", told.Message)
	require.False(t, strings.ContainsFunc(told.Message, func(r rune) bool {
		return r != '\u200d' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
	}), "%q", told.Message)
	require.Regexp(t, `^[A-Za-z0-9._:-]{0,128}$`, told.RequestID)
	require.Equal(t, told.Retryable, told.RetryAfterSeconds > 0)
	require.LessOrEqual(t, told.RetryAfterSeconds, int(maxToldWait/time.Second))
}

func checkPortrait(t *testing.T, p portrait) {
	t.Helper()
	d := p.distributions
	lists := map[string][]schema.NameShare{"interests": d.Interests, "provinces": d.Provinces, "cities": d.Cities}
	for _, age := range d.Ages {
		lists["ages"] = append(lists["ages"], schema.NameShare{Name: age.Group, Percent: age.Percent})
	}
	for _, device := range d.Devices {
		lists["devices"] = append(lists["devices"], schema.NameShare{Name: device.Name, Percent: device.Percent})
	}
	if d.Gender != nil {
		for _, share := range []*float64{d.Gender.Male, d.Gender.Female} {
			if share != nil {
				checkShare(t, *share)
			}
		}
	}
	for dimension, rows := range lists {
		seen := map[string]bool{}
		for _, row := range rows {
			checkShare(t, row.Percent)
			if strings.TrimSpace(row.Name) != row.Name || row.Name == "" || seen[row.Name] {
				t.Fatalf("%s: name %q is empty or comes twice", dimension, row.Name)
			}
			seen[row.Name] = true
		}
		if len(rows) > maxRows {
			t.Fatalf("%s has %d rows", dimension, len(rows))
		}
	}
}

func checkShare(t *testing.T, share float64) {
	t.Helper()
	if math.IsNaN(share) || share < 0 || share > 1+1e-6 || math.Signbit(share) {
		t.Fatalf("share %v", share)
	}
}
