package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/redact"
)

// awkward looks different in every spelling.
const awkward = `s3cr&t/+tok=e<n>"\1'%41`

func TestHide(t *testing.T) {
	tests := []struct {
		name, secret, spelling string
		known                  bool // else the whole text goes
	}{
		{"as it is", awkward, awkward, true},
		{"plain", "plain-token-1234", "plain-token-1234", true},
		{"query", awkward, url.QueryEscape(awkward), true},
		{"path", awkward, url.PathEscape(awkward), true},
		{"query in lower case", awkward, `s3cr%26t%2f%2btok%3de%3cn%3e%22%5c1%27%2541`, true},
		{"encodeURIComponent", awkward, `s3cr%26t%2F%2Btok%3De%3Cn%3E%22%5C1'%2541`, true},
		{"encodeURIComponent by segments", awkward, `s3cr%26t/%2Btok%3De%3Cn%3E%22%5C1'%2541`, true},
		{"encodeURI", awkward, `s3cr&t/+tok=e%3Cn%3E%22%5C1'%2541`, true},
		{"twice", awkward, url.QueryEscape(url.QueryEscape(awkward)), true},
		{"twice in lower case", awkward, `s3cr%2526t%252f%252btok%253de%253cn%253e%2522%255c1%2527%252541`, true},
		{"three times", awkward, url.QueryEscape(url.QueryEscape(url.QueryEscape(awkward))), false},
		{"in mixed case", awkward, `s3cr%26t%2f%2Btok%3de%3Cn%3E%22%5C1%27%2541`, false},
		{"every character", "plain-token", `%70%6c%61%69%6E%2d%74%6f%6b%65%6e`, false},
		{"JavaScript's escape", "plain-token", `plain%u002Dtoken`, false},
		{"plus for a space", "plain token/a", `plain+token%2fa`, true},

		{"HTML", awkward, html.EscapeString(awkward), true},
		{"HTML as Python has it", awkward, `s3cr&amp;t/+tok=e&lt;n&gt;&quot;\1&#x27;%41`, true},
		{"HTML as PHP has it", awkward, `s3cr&amp;t/+tok=e&lt;n&gt;&quot;\1&#039;%41`, true},
		{"HTML in decimal", awkward, `s3cr&#38;t&#47;&#43;tok&#61;e&#60;n&#62;&#34;&#92;1&#39;&#37;41`, true},
		{"HTML in hex", awkward, `s3cr&#x26;t&#x2f;&#x2b;tok&#x3d;e&#x3c;n&#x3e;&#x22;&#x5c;1&#x27;&#x25;41`, true},
		{"HTML in hex of another case", awkward, `s3cr&#X26;t&#X2F;&#X2B;tok&#X3D;e&#X3C;n&#X3E;&#X22;&#X5C;1&#X27;&#X25;41`, false},
		{"HTML by name", awkward, `s3cr&amp;t&sol;&plus;tok&equals;e&lt;n&gt;&quot;&bsol;1&apos;&percnt;41`, false},
		{"HTML twice", awkward, html.EscapeString(html.EscapeString(awkward)), false},

		{"JSON", awkward, `s3cr\u0026t/+tok=e\u003cn\u003e\"\\1'%41`, true},
		{"JSON without HTML", awkward, `s3cr&t/+tok=e<n>\"\\1'%41`, true},
		{"JSON as PHP has it", awkward, `s3cr&t\/+tok=e<n>\"\\1'%41`, true},
		{"JSON in JSON", awkward, `s3cr&t/+tok=e<n>\\\"\\\\1'%41`, false},
		{"Go source", awkward, strings.Trim(strconv.Quote(awkward), `"`), true},
		{"Go source in ASCII", "s3crét", `s3cr\u00e9t`, true},
		{"Python bytes", "s3crét", `s3cr\xc3\xa9t`, true},
		{"in octal", "plain-token", `plain\055token`, false},
		{`\u`, "plain-token", `plain\u002Dtoken`, true},
		{`\u for a letter`, "plain-token", `\u0070lain-token`, false},
		{`\U`, "plain-token", `plain\U0000002dtoken`, false},
		{`\u{}`, "plain-token", `plain\u{2d}token`, false},
		{`\x`, "plain-token", `plain\x2dtoken`, true},
		{`\x for a letter`, "plain-token", `\x70lain\x2Dtoken`, false},
		{"percent escapes in JSON", awkward, `s3cr\u002526t\u00252F\u00252Btok\u00253De\u00253Cn\u00253E\u002522\u00255C1\u002527\u00252541`, false},

		{"decoded once", awkward, `s3cr&t/+tok=e<n>"\1'A`, true},
		{"decoded once as a query", awkward, `s3cr&t/ tok=e<n>"\1'A`, true},
		{"entities decoded", "a&amp;b-token", `a&b-token`, true},
		{"backslashes decoded", `a\u002db-token`, `a-b-token`, true},

		{"base64", "plain-token-1234", `cGxhaW4tdG9rZW4tMTIzNA==`, true},
		{"base64 for URLs", "pl~?~?~?token", base64.URLEncoding.EncodeToString([]byte("pl~?~?~?token")), true},
		{"hex", "plain-token-1234", hex.EncodeToString([]byte("plain-token-1234")), true},
		{"HEX", "plain-token-1234", strings.ToUpper(hex.EncodeToString([]byte("plain-token-1234"))), true},
		{"Hex", "plain-token-1234", "706C61696e2d746f6b656e2d31323334", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			hider := redact.New(test.secret)
			text := "before " + test.spelling + " behind"
			assert.True(t, hider.Found(text))
			if test.known {
				assert.Equal(t, "before *** behind", hider.Hide(text))
			} else {
				assert.Equal(t, "***", hider.Hide(text))
			}
		})
	}
}

// Such as the header of HTTP's basic authentication.
func TestSecretInsideBase64(t *testing.T) {
	hider := redact.New("plain-token-1234")
	assert.Equal(t, "a ***A%3D%3D", hider.Hide("a cGxhaW4tdG9rZW4tMTIzNA%3D%3D"), "what is left of its last character tells nothing of use")
	for _, user := range []string{"", "a", "ab", "abc", "abcd", "abcde"} {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			text := "Basic " + encoding.EncodeToString([]byte(user+":plain-token-1234:more"))
			assert.True(t, hider.Found(text), text)
			assert.Regexp(t, `^Basic .*\*\*\*`, hider.Hide(text))
		}
	}
}

func TestTextWithoutASecretStays(t *testing.T) {
	hider := redact.New(awkward, "plain-token-1234", "abc", "日本語", "100%")
	for _, text := range []string{
		"", "plain", "plain-token-123", `C:\users\plain`, `100 % of %zz and %2`, "a & b &amp; c &nope; &#0;", `\`, `\u12`, `\u{`, `\u{}`, `\u{110000}`,
		`\x`, `\U00110000`, "%", "%u", "%u12", "YWJj", "616263", "cafe\xff%ff", `{"a":"\ud83d\ude00 \n \/ \""}`, "***", `\+0f %+f`,
	} {
		assert.False(t, hider.Found(text), text)
		assert.Equal(t, text, hider.Hide(text))
	}
}

func TestSecretsThatBeginAlike(t *testing.T) {
	hider := redact.New("token", "token-and-more", "", "more")
	assert.Equal(t, "*** *** ***", hider.Hide("token-and-more token more"))
}

func TestNothingToHide(t *testing.T) {
	for name, hider := range map[string]*redact.Hider{"nil": nil, "zero": {}, "none": redact.New(), "empty": redact.New("", "")} {
		assert.Equal(t, "any %74ext", hider.Hide("any %74ext"), name)
		assert.False(t, hider.Found("any %74ext"), name)
	}
}

func TestHiderDoesNotPrint(t *testing.T) {
	const secret = "plain-token-1234"
	hider := redact.New(secret)
	hider.Hide("so that what it builds late is there")
	holder := struct {
		Shown  *redact.Hider
		hidden *redact.Hider // fmt calls no methods on it
		value  redact.Hider
	}{hider, hider, *hider}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{hider, *hider, holder, &holder, []any{hider}} {
			_, _ = fmt.Fprintf(&out, verb, value)
		}
		assert.Equal(t, "***", fmt.Sprintf(verb, hider))
	}
	for _, value := range []any{hider, holder} {
		encoded, err := json.Marshal(value)
		require.NoError(t, err)
		out.Write(encoded)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("start", "hider", hider, "holder", holder)
	}
	assert.False(t, hider.Found(out.String()))
	assert.NotContains(t, out.String(), hex.EncodeToString([]byte(secret)))
}

func TestHiderServesManyAtOnce(t *testing.T) {
	hider := redact.New("plain-token-1234")
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() { assert.Equal(t, "a ***", hider.Hide("a plain-token-1234")) })
	}
	callers.Wait()
}

// FuzzHide looks for text that hides badly: what comes out holds the secret in
// no spelling and is not hidden any further, text without it stays as it is, and
// a secret goes however it is spelled and whatever stands around it.
func FuzzHide(f *testing.F) {
	for i, text := range []string{awkward, url.QueryEscape(awkward), html.EscapeString(awkward), `\u002541 %u0073 &#x26; \u{73}`, `\\\"%25%2541`} {
		f.Add(awkward, text, uint8(i))
		f.Add("plain-token-1234", text, uint8(i+5))
	}
	f.Fuzz(func(t *testing.T, secret, text string, way uint8) {
		if len(secret) < 4 || strings.Trim(secret, "*") == "" {
			return
		}
		hider := redact.New(secret)
		spelled := spelledIn(way, secret)
		for _, text := range []string{text, text + spelled, spelled + text, text + spelled + text} {
			shown := hider.Hide(text)
			if strings.Contains(shown, secret) {
				t.Fatalf("%q in %q stays in %q", secret, text, shown)
			}
			if found := hider.Found(text); found != (shown != text) && text != "***" {
				t.Fatalf("%q in %q: found %t, shown as %q", secret, text, found, shown)
			}
			if again := hider.Hide(shown); again != shown || shown != "***" && hider.Found(shown) {
				t.Fatalf("%q in %q: shown as %q, and then as %q", secret, text, shown, again)
			}
			if strings.Contains(text, spelled) && shown == text {
				t.Fatalf("%q, spelled %q, stays in %q", secret, spelled, shown)
			}
		}
	})
}

// spelledIn spells a secret in one of the ways of the world.
func spelledIn(way uint8, secret string) string {
	ways := []func(string) string{
		func(s string) string { return s },
		url.QueryEscape, url.PathEscape, html.EscapeString,
		strconv.Quote,
		func(s string) string { return hex.EncodeToString([]byte(s)) },
		func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
		func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	}
	return ways[int(way)%len(ways)](secret)
}
