package sample

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answer is what the vendor sends.
type answer struct {
	delay  time.Duration // before anything is sent
	status int           // HTTP
	body   string
}

// answerTo is the answer to a request for id, at V1 or its successor. Any id that
// is none of these gets a portrait:
//
//	sample-code-N          business code N, such as 100, 301, 303, 400, 503, 600, 601
//	sample-http-N          HTTP status N, 400 to 599, with a text, as from a gateway
//	sample-slow-D          a portrait after D, such as 10s
//	sample-not-json        a line of text instead of an answer of the vendor's
//	sample-v1-removed      business code 300 at V1, a portrait at its successor
//	sample-v1-fails        business code 301 at V1, a portrait at its successor
//	sample-empty-data      code 0 without a portrait: the vendor has none of this KOL
//	sample-nan             code 0 with data that cannot be read
//	sample-sparse          no cities, devices, men and day; ages that sum to 0.9
//	sample-old             a portrait as of 2024-01-15
//	sample-unknown-names   age groups and names that are not known
func answerTo(id string, v1 bool) answer {
	rest, special := strings.CutPrefix(id, "sample-")
	kind, value, _ := strings.Cut(rest, "-")
	number, _ := strconv.Atoi(value)
	a, code := answer{status: http.StatusOK}, 0
	switch {
	case !special:
	case kind == "code" && number > 0:
		code = number
	case id == "sample-v1-fails" && v1:
		code = 301
	case id == "sample-v1-removed" && v1:
		code = 300
	case kind == "http" && number >= 400 && number < 600:
		a = answer{status: number, body: "HTTP " + value}
	case kind == "slow":
		a.delay, _ = time.ParseDuration(value)
	case id == "sample-not-json":
		a.body = "It works!"
	}
	if a.body == "" {
		a.body = envelope(id, code)
	}
	return a
}

// envelope is an answer with a business code; with 0 it brings the portrait.
func envelope(id string, code int) string {
	message, data := "null", "null"
	if text, ok := messages[code]; ok {
		message = strconv.Quote(text)
	}
	if code == 0 {
		data = portrait(id)
	}
	sum := sha256.Sum256([]byte(id))
	return fmt.Sprintf(`{"code":%d,"message":%s,"data":%s,"recordTime":null,"requestId":"sample-%x"}`, code, message, data, sum[:8])
}

// messages are what the vendor says with a code, where its page gives words.
var messages = map[int]string{
	100: "Invalid or inactive token", 301: "Collection failed. Please retry.", 302: "Rate limit exceeded", 303: "Daily quota exceeded",
	400: "Invalid parameters", 500: "Internal server error", 503: "Service unavailable", 600: "Permission denied",
	601: "Insufficient balance", 602: "Insufficient balance",
}

// files are data by the id that gets them; that of DocumentedID is the one on
// the vendor's page.
//
//go:embed *.json
var files embed.FS

// portrait is the data for id: that of its file, and else made up.
func portrait(id string) string {
	if data, err := files.ReadFile(id + ".json"); err == nil {
		return string(data)
	}
	return invent(id).json()
}
