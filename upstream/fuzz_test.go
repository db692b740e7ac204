package upstream

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"kol-portrait-mcp/schema"
)

// FuzzDecode holds the decoder to what everything above it relies on: whatever
// the vendor sends, it never panics, and what it accepts is finite, within
// bounds and without duplicates, beside the vendor's own bytes.
func FuzzDecode(f *testing.F) {
	recorded, err := os.ReadFile("../testdata/documented-response.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(recorded)
	for _, seed := range []string{
		good,
		`{"code":301,"message":"Collection failed. Please retry.","data":null,"recordTime":"2026-03-08","requestId":"r-1"}`,
		`{"code":0,"data":{"ages":[{"group":"<18","percent":1.0000005},{"group":"18-24","percent":-0}],"dateKey":"2026-02-30"}}`,
		`{"code":0,"data":{"devices":[{"name":"a","desc":"\u82f9","percent":5e-1},{"name":"a","percent":1e400}]}}`,
		`{"code":0,"data":{"cities":[{"name":"\ud800","percent":null}],"provinces":{},"gender":{"male":"0.5"}}}`,
		`{"code":"0","data":[]}`, `[1,2`, `{"code":0,"data":{"interests":[{"name":"x"`, `<!DOCTYPE html>`, ``,
		"\ufeff" + good, `{"message":"a","code":0,"message":"b","data":{"cities":[{"name":"\u3164 ","percent":0}]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		env, err := decodeEnvelope(body)
		if err != nil {
			return
		}
		if !json.Valid(bytes.TrimPrefix(body, []byte("\ufeff"))) {
			t.Fatalf("accepted what is not JSON: %q", body)
		}
		if env.data != nil && (!json.Valid(env.data) || !bytes.Contains(body, env.data)) {
			t.Fatalf("data %q is not the input's own", env.data)
		}
		p, err := decodePortrait(env.data)
		if err != nil {
			return
		}
		checkPortrait(t, p)
	})
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
