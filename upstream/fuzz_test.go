package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
)

// fuzzSeeds are data of portraits, and what is near to them.
var fuzzSeeds = []string{
	`{"ages":[{"group":"<18","percent":1.0000005},{"group":"18-24","percent":-0}],"dateKey":"2026-02-30"}`,
	`{"gender":{"female":1.00001,"male":"2.0%"},"dateKey":20260308}`, `{"cities":[{"name":" a ","percent":0.5},{"name":"a","percent":0}]}`,
	`{"devices":[{"name":"a","desc":"\u82f9","percent":5e-1},{"name":"\ud800","percent":1e400}]}`, `{"provinces":{},"gender":[],"ages":[null]}`,
	"{}", "null", "[1,2", `{"interests":[{"name":"x"`, "", `{"cities":[{"name":"\u3164e\u0301\u0301\u0301\u0301\u0301","percent":0}]} x`,
}

// FuzzRead reads data of which anything may be wrong. What is read is within
// the bounds that read.go states, the same when it is read again, and either
// something, or nothing, or a fault.
func FuzzRead(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := Read(data)
		if said := r.Empty || r.Fault != ""; said != r.Distributions.IsEmpty() || r.Empty && r.Fault != "" || strings.Contains(r.Fault, "this server") {
			t.Fatalf("empty %v, fault %q, distributions %+v", r.Empty, r.Fault, r.Distributions)
		}
		checkDistributions(t, r.Distributions)
		if len(r.AsOf) != 0 && len(r.AsOf) != len("2006-01-02") {
			t.Fatalf("day %q", r.AsOf)
		}
		written, err := json.Marshal(r.Distributions.InVendorShape())
		if err != nil {
			t.Fatal(err)
		}
		read := Read(written).Distributions
		again, err := json.Marshal(read.InVendorShape())
		if err != nil || !bytes.Equal(written, again) {
			t.Fatalf("read %s, and again %s: %v", written, again, err)
		}
	})
}

func checkDistributions(t *testing.T, d schema.Distributions) {
	t.Helper()
	for dimension, rows := range d.Rows {
		names := map[string]bool{}
		for _, row := range rows {
			if !(row.Share >= 0 && row.Share <= 1) || row.Name == "" || names[row.Name] || utf8.RuneCountInString(row.Name) > maxName ||
				strings.TrimSpace(row.Name) != row.Name || strings.ContainsFunc(row.Name+row.Label, func(r rune) bool { return !unicode.IsGraphic(r) }) {
				t.Fatalf("%s: %+v", dimension, row)
			}
			names[row.Name] = true
		}
	}
}

// FuzzAnswer answers a request with anything. Each admission is settled once, a
// charge is told as it was settled, an answer that says code 0 is a portrait, and
// the token is nowhere.
func FuzzAnswer(f *testing.F) {
	documented, err := os.ReadFile("../testdata/documented-response.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range append(fuzzSeeds, string(documented)) {
		f.Add(200, []byte(seed), "")
		f.Add(200, []byte(`{"code":0,"message":"tok-5d1f0a9e","data":`+seed+`,"requestId":"r-1"}`), "1")
	}
	f.Add(503, []byte(`{"code":301,"message":"Collection failed. Please retry."}`), "Sat, 01 Jan 2000 00:00:10 GMT")
	f.Add(502, []byte("<html>"), "999999999999")
	f.Fuzz(func(t *testing.T, status int, body []byte, retryAfter string) {
		c := testClient(answering(status, string(body), "Retry-After", retryAfter), func(cfg *Config) {
			cfg.MaxAttempts, cfg.Token = 1, secret.New("tok-5d1f0a9e")
		})
		book := &ledger{}
		portrait, err := c.Portrait(t.Context(), someID, false, book.admit)
		settled := book.settled(t)
		var members map[string]json.RawMessage
		if json.Unmarshal(body, &members) == nil && string(members["code"]) == "0" && err != nil && len(body) <= maxBody && status != http.StatusSwitchingProtocols {
			t.Fatalf("a paid answer is lost: %v", err)
		}
		if portrait != nil {
			if !settled[0] || bytes.Contains(portrait.Data, []byte("tok-5d1f0a9e")) {
				t.Fatalf("settled %v, data %s", settled, portrait.Data)
			}
			return
		}
		told, ok := errors.AsType[*schema.Error](err)
		if !ok || told.Charged != settled[0] || told.Retryable != (told.RetryAfterSeconds > 0) || strings.Contains(told.Message, "tok-5d1f0a9e") || !utf8.ValidString(told.Message) {
			t.Fatalf("%+v, settled %v", err, settled)
		}
	})
}
