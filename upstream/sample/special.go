package sample

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Special is a KOL id to which a Vendor answers in a way of its own.
type Special struct {
	ID   string
	Does string // what the Vendor does, a phrase
}

// IDs returns the special ids, related ones side by side. But for those that
// begin with sample-v1, they get the same at both endpoints, where how often
// counts both together. Any other id of 1 to 64 letters, digits, _ and - gets a
// made-up portrait.
func IDs() []Special {
	all := specials()
	ids := make([]Special, len(all))
	for i, s := range all {
		ids[i] = s.Special
	}
	return ids
}

type special struct {
	Special
	answer answer
}

// answer is what a special id gets. Its body is the first of body, data and
// code that is set.
type answer struct {
	status int                        // HTTP status; 0: 200
	header map[string]string          // beside the usual
	delay  time.Duration              // before anything is sent; negative: until the client leaves
	body   func(*http.Request) string // the whole body
	data   func(id string) string     // in an envelope with code 0
	code   int                        // in an envelope without data
	times  int                        // how often, before the portrait comes; 0: always
	cutOff bool                       // send half of the body and break off
	v1     bool                       // at V1 alone; its successor answers a portrait
}

// text is the body for id.
func (a answer) text(id string, r *http.Request) string {
	switch {
	case a.body != nil:
		return a.body(r)
	case a.data != nil:
		return envelope(id, 0, "", a.data(id))
	default:
		return envelope(id, a.code, message(a.code), "null")
	}
}

// message is what the vendor says with a business code. Where its page gives
// no words, neither does this.
func message(code int) string {
	switch code {
	case 100:
		return "Invalid or inactive token"
	case 301:
		return "Collection failed. Please retry."
	case 302:
		return "Rate limit exceeded"
	case 303:
		return "Daily quota exceeded"
	case 400:
		return "Invalid parameters"
	case 500:
		return "Internal server error"
	case 503:
		return "Service unavailable"
	case 600:
		return "Permission denied"
	case 601, 602:
		return "Insufficient balance"
	default:
		return ""
	}
}

// fixed makes a body or data that does not depend on anything.
func fixed[T any](s string) func(T) string { return func(T) string { return s } }

// share is a portrait with one age row, whose percent is the given JSON.
func share(percent string) func(string) string {
	return fixed[string](`{"ages":[{"group":"18-24","percent":` + percent + `}]}`)
}

func specials() []special {
	var all []special
	add := func(id, does string, a answer) {
		all = append(all, special{Special{ID: id, Does: does}, a})
	}
	for _, code := range []int{100, 101, 202, 300, 301, 302, 303, 400, 404, 500, 503, 600, 601, 602, 777} {
		add(fmt.Sprintf("sample-code-%d", code), fmt.Sprintf("answers business code %d", code), answer{code: code})
	}
	add("sample-code-301-twice", "answers business code 301 twice, then a portrait", answer{code: 301, times: 2})
	for _, pair := range [][2]int{{400, 400}, {401, 100}, {403, 600}, {429, 302}, {500, 500}, {503, 503}} {
		add(fmt.Sprintf("sample-status-%d-code-%d", pair[0], pair[1]),
			fmt.Sprintf("answers business code %d with HTTP status %d", pair[1], pair[0]), answer{status: pair[0], code: pair[1]})
	}
	for _, status := range []int{401, 403, 404, 410, 429, 500, 502, 503, 504} {
		add(fmt.Sprintf("sample-http-%d", status), fmt.Sprintf("answers HTTP status %d with a text that is no envelope", status),
			answer{status: status, header: text(), body: fixed[*http.Request](http.StatusText(status))})
	}
	add("sample-retry-after", "answers HTTP status 429 with Retry-After: 1 once, then a portrait",
		answer{status: 429, header: map[string]string{"Retry-After": "1"}, body: fixed[*http.Request](""), times: 1})
	add("sample-redirect", "redirects to another host",
		answer{status: http.StatusFound, header: map[string]string{"Location": "http://elsewhere.invalid/"}, body: fixed[*http.Request]("")})

	add("sample-v1-removed", "answers business code 300 at V1, a portrait at its successor", answer{code: 300, v1: true})
	add("sample-v1-gone", "answers HTTP status 410 with a text that is no envelope at V1, a portrait at its successor",
		answer{status: http.StatusGone, header: text(), body: fixed[*http.Request](http.StatusText(http.StatusGone)), v1: true})
	add("sample-v1-fails", "answers business code 301 at V1, a portrait at its successor", answer{code: 301, v1: true})

	add("sample-slow-1s", "answers a portrait after 1 second", answer{delay: time.Second, data: portrait})
	add("sample-slow-10s", "answers a portrait after 10 seconds", answer{delay: 10 * time.Second, data: portrait})
	add("sample-slow-90s", "answers a portrait after 90 seconds", answer{delay: 90 * time.Second, data: portrait})
	add("sample-stall", "never answers", answer{delay: -1, data: portrait})
	add("sample-cut-off", "breaks off in the middle of a portrait", answer{cutOff: true, data: portrait})

	add("sample-not-json", "answers a line of text", answer{header: text(), body: fixed[*http.Request]("It works!")})
	add("sample-html", "answers an HTML page", answer{header: map[string]string{"Content-Type": "text/html"},
		body: fixed[*http.Request]("<!DOCTYPE html><title>Sign in</title>")})
	add("sample-shape", "answers a JSON list", answer{body: fixed[*http.Request](`[{"code":0}]`)})
	add("sample-oversized", "answers 5 MiB of JSON", answer{data: func(string) string {
		return `{"padding":"` + strings.Repeat("x", 5<<20) + `"}`
	}})
	add("sample-null-data", "answers code 0 with null for data", answer{data: fixed[string]("null")})
	add("sample-empty-data", "answers code 0 with an empty object for data", answer{data: fixed[string]("{}")})
	add("sample-nan", "answers a share that is NaN", answer{data: share("NaN")})
	add("sample-negative", "answers a share below 0", answer{data: share("-0.1")})
	add("sample-over-one", "answers a share above 1", answer{data: share("1.2")})
	add("sample-wrong-type", "answers a share that is a string", answer{data: share(`"0.5"`)})
	add("sample-echo-token", "answers business code 400 with a message that holds the token", answer{body: echo})

	add("sample-sparse", "answers a portrait without cities, devices, male and date, ages summing to 0.9", answer{data: fixed[string](sparse)})
	add("sample-old", "answers a portrait as of 2024-01-15", answer{data: func(id string) string {
		made := inventFor(id)
		made.DateKey = "2024-01-15"
		return made.json()
	}})
	add("sample-unknown-names", "answers a portrait with age groups and names that are not known", answer{data: fixed[string](unknown)})
	return all
}

func text() map[string]string { return map[string]string{"Content-Type": "text/plain;charset=UTF-8"} }

// echo is an error that quotes the request, token and all.
func echo(r *http.Request) string {
	query := r.URL.Query()
	_, parameter := endpointAt(r.URL.Path)
	said := fmt.Sprintf("bad request %s with token %s (%s)", r.URL.RequestURI(), query.Get("token"), url.PathEscape(query.Get("token")))
	return envelope(query.Get(parameter), 400, said, "null")
}

const sparse = `{
  "ages": [{"group":"18-24","percent":0.4},{"group":"25-34","percent":0.3},{"group":"35-44","percent":0.2}],
  "gender": {"female":0.7},
  "interests": [{"name":"美食","percent":0.3},{"name":"旅游","percent":0.2}],
  "provinces": [{"name":"浙江","percent":0.25},{"name":"广东","percent":0.15},{"name":"海外","percent":0.05}],
  "cities": null,
  "devices": []
}`

const unknown = `{
  "ages": [{"group":"<18","percent":0.05},{"group":"18-24","percent":0.25},{"group":"25-34","percent":0.45},{"group":"35-49","percent":0.2},{"group":"50+","percent":0.05}],
  "gender": {"male":0.45,"female":0.55},
  "interests": [{"name":"美食","percent":0.2},{"name":"星际旅行","percent":0.1}],
  "provinces": [{"name":"广东","percent":0.2},{"name":"云梦泽","percent":0.1}],
  "cities": [{"name":"云梦城","percent":0.05},{"name":"广州","percent":0.04}],
  "devices": [{"name":"nebula phone","desc":"星云","percent":0.6},{"name":"apple inc.","desc":"苹果","percent":0.3}],
  "dateKey": "2026-10-01"
}`
