package sample

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// get asks a vendor over its own transport.
func get(ctx context.Context, t *testing.T, v *Vendor, target string) (status int, body string, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, Address+target, nil)
	require.NoError(t, err)
	resp, err := v.Transport().RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	read, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, "true", resp.Header.Get("X-Sample-Data"))
	return resp.StatusCode, string(read), nil
}

func portraitOf(id string) string { return portraitPath + "?token=" + Token + "&kolId=" + id }
func profileOf(id string) string  { return profilePath + "?token=" + Token + "&userId=" + id }

func TestAnswers(t *testing.T) {
	for target, want := range map[string]string{ // its status, and how its body begins
		"/elsewhere?token=sample-token&kolId=a":     "404 ",
		portraitPath + "?kolId=a":                   `200 {"code":100,"message":"Invalid or inactive token","data":null,`,
		portraitPath + "?token=other&kolId=a":       `200 {"code":100,`,
		portraitPath + "?token=sample-token":        `200 {"code":400,`,
		portraitOf(fmt.Sprintf("%065d", 0)):         `200 {"code":400,`,
		portraitOf("a%20b"):                         `200 {"code":400,`,
		portraitPath + "?token=sample-token&userId": `200 {"code":400,`,
		portraitOf(fmt.Sprintf("%064d", 0)):         `200 {"code":0,"message":null,"data":{"ages":[{"group":"<18",`,
		profileOf("a") + "&acceptCache=false":       `200 {"code":0,`,
		portraitOf("sample-code-601"):               `200 {"code":601,"message":"Insufficient balance","data":null,`,
		profileOf("sample-code-777"):                `200 {"code":777,"message":null,`,
		portraitOf("sample-code-301-twice"):         `200 {"code":301,"message":"Collection failed. Please retry."`,
		portraitOf("sample-http-502"):               "502 HTTP 502",
		portraitOf("sample-http-200"):               `200 {"code":0,`,
		portraitOf("sample-not-json"):               "200 It works!",
		portraitOf("sample-v1-removed"):             `200 {"code":300,`,
		portraitOf("sample-v1-gone"):                "410 Gone",
		portraitOf("sample-v1-fails"):               `200 {"code":301,`,
		profileOf("sample-v1-removed"):              `200 {"code":0,`,
		profileOf("sample-v1-gone"):                 `200 {"code":0,`,
		profileOf("sample-v1-fails"):                `200 {"code":0,`,
		portraitOf("sample-empty-data"):             `200 {"code":0,"message":null,"data":{},`,
		portraitOf("sample-nan"):                    `200 {"code":0,"message":null,"data":{"ages":[{"group":"18-24","percent":NaN}]},`,
		portraitOf("sample-sparse"):                 "200 {\"code\":0,\"message\":null,\"data\":{\n  \"ages\": [{\"group\":\"18-24\",",
	} {
		status, body, err := get(t.Context(), t, New(), target)
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(fmt.Sprintf("%d %s", status, body), want), "%s: %d %s", target, status, body)
		recorder := httptest.NewRecorder()
		New().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, target, nil))
		assert.Equal(t, status, recorder.Code, "over a network it is the same")
		assert.Equal(t, body, recorder.Body.String())
		assert.Equal(t, "true", recorder.Header().Get("X-Sample-Data"))
	}
	recorder := httptest.NewRecorder()
	New().ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, portraitOf("a"), nil))
	assert.Equal(t, http.StatusMethodNotAllowed, recorder.Code)
}

func TestDocumentedPortraitComesByteForByte(t *testing.T) {
	recorded, err := os.ReadFile("../../testdata/documented-response.json")
	require.NoError(t, err)
	var documented struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(recorded, &documented))
	assert.Equal(t, string(documented.Data), portrait(DocumentedID))
	_, body, err := get(t.Context(), t, New(), portraitOf(DocumentedID))
	require.NoError(t, err)
	assert.Contains(t, body, string(documented.Data))
	assert.Regexp(t, `"requestId":"sample-[0-9a-f]{16}"}$`, body)
}

func TestCounts(t *testing.T) {
	v := New()
	v.Token = "another"
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			for _, target := range []string{portraitOf("a"), strings.Replace(portraitOf("a"), Token, "another", 1), strings.Replace(profileOf("a"), Token, "another", 1)} {
				_, _, err := get(t.Context(), t, v, target)
				assert.NoError(t, err)
			}
		})
	}
	callers.Wait()
	assert.Equal(t, 60, v.Requests("a"), "at both endpoints, with whatever token")
	assert.Equal(t, 40, v.Charged())
	assert.Zero(t, v.Requests("never-asked"))

	v = New() // how often counts both endpoints together
	for n, target := range []string{portraitOf("sample-code-301-twice"), profileOf("sample-code-301-twice"), portraitOf("sample-code-301-twice")} {
		_, body, err := get(t.Context(), t, v, target)
		require.NoError(t, err)
		assert.Equal(t, n < 2, strings.HasPrefix(body, `{"code":301,`))
	}
	assert.Equal(t, 1, v.Charged())
}

func TestSlowAnswersHeedTheirClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, start := New(), time.Now()
		_, body, err := get(t.Context(), t, v, portraitOf("sample-slow-10s"))
		require.NoError(t, err)
		assert.Equal(t, 10*time.Second, time.Since(start))
		assert.Contains(t, body, `"code":0,`)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 2 { // while it waits, and when it has left before
			_, _, err = get(ctx, t, v, portraitOf("sample-slow-10s"))
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		assert.Equal(t, 1, v.Charged())
		assert.Equal(t, 2, v.Requests("sample-slow-10s"))
		v.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, portraitOf("a"), nil))
		assert.Equal(t, 2, v.Charged(), "where nothing is waited for, the vendor does not notice")
	})
}

// The digests change only with the generator itself. They hold people's
// examples and other packages' golden files still.
func TestInventedPortraitsAreStable(t *testing.T) {
	for id, want := range map[string]string{"kol-1": "e288025d591f193b", "5f3c1a2b0000000001009abc": "aee95ec039e2b85e"} {
		digest := sha256.Sum256([]byte(portrait(id)))
		assert.Equal(t, want, hex.EncodeToString(digest[:8]), id)
	}
}

func TestInventedPortraitsArePlausible(t *testing.T) {
	var documented made
	recorded, err := files.ReadFile(DocumentedID + ".json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(recorded, &documented))
	names := func(m made) (all []string) {
		for _, rows := range [][]schema.NameShare{m.Interests, m.Provinces, m.Cities} {
			for _, row := range rows {
				all = append(all, row.Name)
			}
		}
		for _, row := range m.Devices {
			all = append(all, row.Name+row.Desc)
		}
		slices.Sort(all)
		return all
	}
	var young, women, men int
	for n := range 300 {
		m := invent(fmt.Sprintf("kol-%d", n))
		assert.Equal(t, names(documented), names(m))
		total := 0.0
		for i, row := range m.Ages {
			assert.Equal(t, documented.Ages[i].Group, row.Group)
			assert.Positive(t, row.Percent)
			total += row.Percent
		}
		assert.InDelta(t, 1, total, 1e-9)
		assert.InDelta(t, 1, *m.Gender.Male+*m.Gender.Female, 1e-9)
		var devices []schema.NameShare
		for _, d := range m.Devices {
			devices = append(devices, schema.NameShare{Name: d.Name, Percent: d.Percent})
		}
		for _, want := range []struct {
			rows     []schema.NameShare
			from, to float64
		}{{m.Provinces, 0.999999, 1.000001}, {m.Interests, 0.81, 0.82}, {devices, 0.99, 0.991}, {m.Cities, 0.1, 0.5}} {
			total := 0.0
			for _, row := range want.rows {
				total += row.Percent
				assert.Positive(t, row.Percent)
			}
			assert.True(t, want.from <= total && total <= want.to, "%g", total)
			assert.True(t, slices.IsSortedFunc(want.rows, func(x, y schema.NameShare) int { return cmp.Compare(y.Percent, x.Percent) }), "largest first")
		}
		provinces, within := byName(m.Provinces), map[string]float64{}
		for _, city := range m.Cities {
			within[cmp.Or(provinceOf[city.Name], city.Name)] += city.Percent
		}
		for province, share := range within {
			assert.LessOrEqual(t, share, provinces[province]+1e-9, province)
		}
		assert.True(t, "2026-09-01" <= m.DateKey && m.DateKey <= "2026-10-31", m.DateKey)
		young += map[bool]int{true: 1}[m.Ages[0].Percent+m.Ages[1].Percent > 0.25]
		women += map[bool]int{true: 1}[*m.Gender.Female > 0.65]
		men += map[bool]int{true: 1}[*m.Gender.Male > 0.5]
	}
	assert.Greater(t, min(young, women, men), 40, "audiences differ")
}
