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
	"kol-portrait-mcp/secret"
	"kol-portrait-mcp/upstream"
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

const portraitPath, profilePath = upstream.PortraitPath, upstream.ProfilePath

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
		portraitOf("sample-http-502"):               "502 HTTP 502",
		portraitOf("sample-http-200"):               `200 {"code":0,`,
		portraitOf("sample-not-json"):               "200 It works!",
		portraitOf("sample-v1-removed"):             `200 {"code":300,`,
		portraitOf("sample-v1-fails"):               `200 {"code":301,"message":"Collection failed. Please retry."`,
		profileOf("sample-v1-removed"):              `200 {"code":0,`,
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
	recorded, err := files.ReadFile(DocumentedID + ".json")
	require.NoError(t, err)
	documented := upstream.Read(recorded).Distributions
	names := func(rows []schema.Row) (all []string) {
		for _, row := range rows {
			all = append(all, row.Name+row.Label)
		}
		slices.Sort(all)
		return all
	}
	var young, women, men int
	for n := range 300 {
		m := invent(fmt.Sprintf("kol-%d", n))
		for of, sum := range map[schema.Dimension][2]float64{ // from, to
			schema.DimensionAgeGroups: {0.999999, 1.000001}, schema.DimensionGender: {0.999999, 1.000001}, schema.DimensionProvinces: {0.999999, 1.000001},
			schema.DimensionInterests: {0.81, 0.82}, schema.DimensionDevices: {0.99, 0.991}, schema.DimensionCities: {0.1, 0.5},
		} {
			rows, total := m.Rows[of], 0.0
			assert.Equal(t, names(documented.Rows[of]), names(rows))
			for _, row := range rows {
				total += row.Share
				assert.Positive(t, row.Share)
			}
			assert.True(t, sum[0] <= total && total <= sum[1], "%s: %g", of, total)
			if of != schema.DimensionAgeGroups && of != schema.DimensionGender {
				assert.True(t, slices.IsSortedFunc(rows, func(x, y schema.Row) int { return cmp.Compare(y.Share, x.Share) }), "largest first")
			}
		}
		ages, provinces, within := m.Rows[schema.DimensionAgeGroups], byName(m.Rows[schema.DimensionProvinces]), map[string]float64{}
		for i, row := range ages {
			assert.Equal(t, documented.Rows[schema.DimensionAgeGroups][i].Name, row.Name)
		}
		for _, city := range m.Rows[schema.DimensionCities] {
			within[cmp.Or(provinceOf[city.Name], city.Name)] += city.Share
		}
		for province, share := range within {
			assert.LessOrEqual(t, share, provinces[province]+1e-9, province)
		}
		assert.True(t, "2026-09-01" <= m.dateKey && m.dateKey <= "2026-10-31", m.dateKey)
		gender := byName(m.Rows[schema.DimensionGender])
		young += map[bool]int{true: 1}[ages[0].Share+ages[1].Share > 0.25]
		women += map[bool]int{true: 1}[gender[schema.Female] > 0.65]
		men += map[bool]int{true: 1}[gender[schema.Male] > 0.5]
	}
	assert.Greater(t, min(young, women, men), 40, "audiences differ")
}

// The vendor is asked like the real one.
func TestAskedLikeTheRealOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor := New()
		c := upstream.New(upstream.Config{
			Environment: schema.EnvironmentSample, BaseURL: Address, Token: secret.New(Token), Transport: vendor.Transport(), MaxRPS: 1000,
		})
		for id, want := range map[string]string{
			DocumentedID: "", "sample-v1-fails": "", "sample-slow-10s": "", "sample-empty-data": "", "sample-nan": "",
			"sample-code-601": "insufficient_balance: ", "sample-http-503": "upstream_error: ", "sample-not-json": "bad_response: ", "sample-slow-90s": "timeout: ",
		} {
			paid := false
			got, err := c.Portrait(t.Context(), id, false, func(context.Context) (func(bool), error) {
				return func(charged bool) { paid = charged }, nil
			})
			if want == "" {
				require.NoError(t, err, id)
				assert.True(t, got.Sample)
			} else {
				require.ErrorContains(t, err, want)
			}
			assert.Equal(t, id != "sample-code-601" && id != "sample-http-503", paid, "%s: charged", id)
		}
		assert.Equal(t, 5, vendor.Charged())
	})
}
