//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"kol-portrait-mcp/schema"
)

// fault is a way in which a request to the vendor goes wrong.
type fault struct {
	name  string                        // what goes wrong, a kind of fault in front of the colon
	works bool                          // the vendor has collected the portrait by then, and charges it
	send  func(x *exchange) (open bool) // what the client gets, and whether the connection takes another request
	right outcome
	often int // how often it comes in a storm, to be compared with the others'
}

// outcome is what the product must make of a fault.
type outcome struct {
	portrait  bool          // it is none: the portrait arrives
	kinds     []schema.Kind // any of which the error may be, where it does not
	charged   bool          // whether the error must say that the vendor may have charged
	retryable bool          // whether the error must say that the call may be repeated
	again     bool          // whether the product itself asks again
}

// allows reports whether a failed call may be told so.
func (o outcome) allows(e *schema.Error) bool {
	return !o.portrait && slices.Contains(o.kinds, e.Kind) && e.Charged == o.charged && e.Retryable == o.retryable
}

// The outcomes, see README.md, "Errors".
func arrives() outcome { return outcome{portrait: true} }

// refusedAs is not charged, and would be the same again.
func refusedAs(kind schema.Kind) outcome { return outcome{kinds: []schema.Kind{kind}} }

// laterAs is not charged, and may be called for later.
func laterAs(kind schema.Kind) outcome {
	return outcome{kinds: []schema.Kind{kind}, retryable: true}
}

// againAs is not charged, so the product asks again; the kind is that of the
// last attempt.
func againAs(kind schema.Kind) outcome {
	return outcome{kinds: []schema.Kind{kind}, retryable: true, again: true}
}

// asksTheOther is not charged, and the vendor's other endpoint is asked.
func asksTheOther() outcome {
	return outcome{kinds: []schema.Kind{schema.EndpointRemoved}, again: true}
}

// maybeAs may have been charged, or may yet: nobody asks again but the caller.
func maybeAs(kinds ...schema.Kind) outcome {
	return outcome{kinds: kinds, charged: true, retryable: true}
}

// untrusted may have been charged, and would be the same again.
func untrusted() outcome {
	return outcome{kinds: []schema.Kind{schema.BadResponse}, charged: true}
}

// noFault is the right answer.
func noFault() *fault {
	return &fault{name: "none", works: true, send: body(func(right string) string { return right }), right: arrives()}
}

// requestFaults are all faults that befall one request.
func requestFaults() []fault {
	return slices.Concat(
		times(2, resets()), times(1, stalls()), times(3, truncations()), times(1, oversized()),
		times(3, labels()), times(2, pages()), times(2, compressions()), times(1, bombs()), times(2, notHTTP()),
		times(3, redirects()), times(6, busy()), times(4, codes()), times(4, statuses()), times(3, notEnvelopes()), times(2, notPortraits()),
		gone(),
	)
}

// times says how often faults come in a storm.
func times(n int, faults []fault) []fault {
	for i := range faults {
		faults[i].often = n
	}
	return faults
}

const jsonType = "Content-Type: application/json;charset=UTF-8\r\n"

// message is an HTTP answer with a length.
func message(status int, header, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d Any Words\r\n%sContent-Length: %d\r\n\r\n%s", status, header, len(body), body)
}

// body answers 200 with what it makes of the right answer.
func body(of func(right string) string) func(x *exchange) bool {
	return func(x *exchange) bool { return x.write(message(http.StatusOK, jsonType, of(x.right))) }
}

// reply answers the same whatever is asked.
func reply(status int, header, text string) func(x *exchange) bool {
	return func(x *exchange) bool { return x.write(message(status, header, text)) }
}

// until sends a part of the right answer, and does what ends it.
func until(part func(right string) string, end func(x *exchange)) func(x *exchange) bool {
	return func(x *exchange) bool {
		if x.write(part(x.right)) {
			end(x)
		}
		return false
	}
}

// idle is no fault of the request's, but the next one may find the connection
// closed.
const idle = "hang-up: of the idle connection"

func nothing(string) string { return "" }

func someHeader(string) string { return "HTTP/1.1 200 OK\r\nContent-Ty" }

func wholeHeader(right string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n", jsonType, len(right))
}

func halfTheBody(right string) string { return wholeHeader(right) + right[:len(right)/2] }

// connectionFaults are those that befall a connection, and whatever request it
// is for. The vendor has no part in them.
func connectionFaults() []fault {
	return []fault{
		{name: "connection: reset at accept", send: until(nothing, (*exchange).reset), right: maybeAs(schema.Network)},
		{name: "connection: accepted, and never read from", send: until(nothing, (*exchange).untilLeft), right: maybeAs(schema.Timeout)},
	}
}

func resets() []fault {
	lost := maybeAs(schema.Network)
	return []fault{
		{name: "reset: when the request was read", send: until(nothing, (*exchange).reset), right: lost},
		{name: "reset: when the vendor had worked", works: true, send: until(nothing, (*exchange).reset), right: lost},
		{name: "reset: in the header", works: true, send: until(someHeader, (*exchange).reset), right: lost},
		{name: "reset: after the header", works: true, send: until(wholeHeader, (*exchange).reset), right: lost},
		{name: "reset: in the body", works: true, send: until(halfTheBody, (*exchange).reset), right: lost},
		{name: idle, works: true, send: until(whole, leave), right: arrives()},
		{name: "hang-up: as announced", works: true, send: until(func(right string) string {
			return message(http.StatusOK, jsonType+"Connection: close\r\n", right)
		}, leave), right: arrives()},
	}
}

func whole(right string) string { return message(http.StatusOK, jsonType, right) }

// leave does nothing more: the connection is closed.
func leave(*exchange) {}

func stalls() []fault {
	late := maybeAs(schema.Timeout)
	const moment, longer = 5 * time.Millisecond, 50 * time.Millisecond
	return []fault{
		{name: "stall: before the vendor works", send: until(nothing, (*exchange).untilLeft), right: late},
		{name: "stall: before the header", works: true, send: until(nothing, (*exchange).untilLeft), right: late},
		{name: "stall: in the header", works: true, send: until(someHeader, (*exchange).untilLeft), right: late},
		{name: "stall: after the header", works: true, send: until(wholeHeader, (*exchange).untilLeft), right: late},
		{name: "stall: in the body", works: true, send: until(halfTheBody, (*exchange).untilLeft), right: late},
		{name: "drip: a header without end", works: true, send: func(x *exchange) bool {
			return x.drip("HTTP/1.1 200 OK\r\nX-Padding: "+strings.Repeat("x", 1<<20), 1, longer)
		}, right: late},
		{name: "drip: a body that takes minutes", works: true, send: func(x *exchange) bool { return x.drip(whole(x.right), 1, longer) }, right: late},
		{name: "drip: a body that is there in time", works: true, send: func(x *exchange) bool { return x.drip(whole(x.right), 100, moment) }, right: arrives()},
	}
}

func truncations() []fault {
	lost := maybeAs(schema.Network)
	const chunked, closing = "HTTP/1.1 200 OK\r\n" + jsonType + "Transfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\n" + jsonType + "Connection: close\r\n\r\n"
	cut := func(name string, part func(right string) string) fault {
		return fault{name: "truncated: " + name, works: true, send: until(part, leave), right: lost}
	}
	return []fault{
		cut("no answer at all", nothing),
		cut("in the header", someHeader),
		cut("after the header", wholeHeader),
		cut("Content-Length too long", halfTheBody),
		cut("Content-Length beyond all bounds", func(right string) string {
			return "HTTP/1.1 200 OK\r\n" + jsonType + "Content-Length: 9223372036854775807\r\n\r\n" + right
		}),
		cut("in a chunk", func(right string) string {
			return chunked + fmt.Sprintf("%x\r\n", len(right)) + right[:len(right)/2]
		}),
		cut("before the last chunk", func(right string) string {
			return chunked + fmt.Sprintf("%x\r\n%s\r\n", len(right), right)
		}),
		cut("a chunk of no length", func(right string) string { return chunked + "many\r\n" + right + "\r\n0\r\n\r\n" }),
		cut("no length, half of the body", func(right string) string { return closing + right[:len(right)/2] }),
		{name: "truncated: not at all, but without a length", works: true, send: until(func(right string) string { return closing + right }, leave), right: arrives()},
		{name: "truncated: not at all, but in chunks", works: true, send: func(x *exchange) bool {
			return x.write(chunked + fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", 100, x.right[:100], len(x.right)-100, x.right[100:]))
		}, right: arrives()},
	}
}

func oversized() []fault {
	const (
		big   = 5 << 20
		none  = "HTTP/1.1 200 OK\r\n" + jsonType + "\r\n"
		begun = `{"code":0,"data":{"padding":"`
	)
	padding := strings.Repeat("x", 64<<10)
	return []fault{
		{name: "oversized: announced", works: true, send: body(func(string) string {
			return begun + strings.Repeat("x", big) + `"}}`
		}), right: untrusted()},
		{name: "oversized: JSON without end", works: true, send: func(x *exchange) bool {
			x.write(none + begun)
			x.endless(padding)
			return false
		}, right: untrusted()},
		{name: "oversized: garbage without end", works: true, send: func(x *exchange) bool {
			x.write(none)
			x.endless(padding)
			return false
		}, right: untrusted()},
		{name: "oversized: white space around the right answer", works: true, send: body(func(right string) string {
			return strings.Repeat(" ", big) + right
		}), right: untrusted()},
		{name: "oversized: a list as deep as it is long", works: true, send: body(func(string) string {
			return `{"code":0,"data":` + strings.Repeat("[", 1<<20)
		}), right: untrusted()},
	}
}

func labels() []fault {
	as := func(name, header string) fault {
		return fault{name: "label: " + name, works: true, send: func(x *exchange) bool { return x.write(message(http.StatusOK, header, x.right)) }, right: arrives()}
	}
	around := func(status int) fault {
		return fault{name: fmt.Sprintf("label: HTTP %d around the right answer", status), works: true,
			send: func(x *exchange) bool { return x.write(message(status, jsonType, x.right)) }, right: arrives()}
	}
	return []fault{
		as("the right answer as text", "Content-Type: text/plain\r\n"),
		as("the right answer as HTML in another charset", "Content-Type: text/html;charset=gbk\r\n"),
		as("the right answer as nothing", ""),
		as("the right answer as an encoding that is not known", jsonType+"Content-Encoding: zstd\r\n"),
		around(http.StatusAccepted), around(http.StatusBadRequest), around(http.StatusInternalServerError), around(http.StatusBadGateway),
		{name: "label: early hints before the right answer", works: true, send: func(x *exchange) bool {
			return x.write("HTTP/1.1 100 Continue\r\n\r\n" + strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n", 50) + whole(x.right))
		}, right: arrives()},
		{name: "label: a byte order mark before the right answer", works: true, send: body(func(right string) string { return "\ufeff" + right }), right: arrives()},
	}
}

// pages are what gateways show, which nobody may take for the vendor's words.
func pages() []fault {
	page := func(status int, header string, right outcome) fault {
		return fault{name: fmt.Sprintf("page: HTML with %d", status), right: right,
			send: reply(status, header, `<!DOCTYPE html><title>Sign in</title><script>alert("`+strings.Repeat("code ", 500)+`")</script>`)}
	}
	const html = "Content-Type: text/html\r\n"
	mislabelled := page(http.StatusOK, jsonType, untrusted())
	mislabelled.name = "page: HTML that is called JSON"
	return []fault{
		mislabelled,
		page(http.StatusOK, html, untrusted()),
		page(http.StatusUnauthorized, html, refusedAs(schema.InvalidToken)),
		page(http.StatusForbidden, html, refusedAs(schema.PermissionDenied)),
		page(http.StatusInternalServerError, html, againAs(schema.UpstreamError)),
		page(http.StatusBadGateway, html, maybeAs(schema.UpstreamError)),
		page(http.StatusServiceUnavailable, html, againAs(schema.UpstreamError)),
		page(http.StatusGatewayTimeout, html, maybeAs(schema.Timeout)),
		page(524, html, maybeAs(schema.Timeout)), // Cloudflare's
	}
}

const gzipped = jsonType + "Content-Encoding: gzip\r\n"

func compressions() []fault {
	return []fault{
		{name: "gzip: the right answer", works: true, send: func(x *exchange) bool { return x.write(message(http.StatusOK, gzipped, pack(x.right))) }, right: arrives()},
		{name: "gzip: broken off", works: true, send: func(x *exchange) bool {
			packed := pack(x.right)
			return x.write(message(http.StatusOK, gzipped, packed[:len(packed)/2]))
		}, right: maybeAs(schema.Network)},
		{name: "gzip: with a wrong sum", works: true, send: func(x *exchange) bool {
			packed := pack(x.right)
			return x.write(message(http.StatusOK, gzipped, packed[:len(packed)-8]+"\x00\x00\x00\x00\x00\x00\x00\x00"))
		}, right: maybeAs(schema.Network)},
		{name: "gzip: only called so", works: true, send: func(x *exchange) bool { return x.write(message(http.StatusOK, gzipped, x.right)) }, right: maybeAs(schema.Network)},
		{name: "gzip: not called so", works: true, send: body(pack), right: untrusted()},
	}
}

// bombs unpack to four gigabytes, a thousand times what they are.
func bombs() []fault {
	const member, members = 16 << 20, 256
	zeros, letters := pack(strings.Repeat("\x00", member)), pack(strings.Repeat("x", member))
	bomb := func(name, first, rest string) fault {
		return fault{name: "bomb: " + name, works: true, send: func(x *exchange) bool {
			x.write(fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", gzipped, len(first)+members*len(rest), first))
			for range members {
				if !x.write(rest) {
					break
				}
			}
			return false
		}, right: untrusted()}
	}
	return []fault{
		bomb("zeros", "", zeros),
		bomb("one long name", pack(`{"code":0,"data":{"ages":[{"group":"`), letters),
		bomb("behind the right answer", pack(`{"code":0,"data":{"gender":{"male":0.5}}}`), pack(strings.Repeat(" ", member))),
	}
}

// pack compresses text.
func pack(text string) string {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(text)) // a Buffer takes everything
	_ = w.Close()
	return packed.String()
}

func notHTTP() []fault {
	lost := maybeAs(schema.Network)
	says := func(name, text string) fault {
		return fault{name: "not HTTP: " + name, works: true, send: until(func(right string) string { return text + right }, leave), right: lost}
	}
	endless := func(name, begin, text string) fault {
		text = strings.Repeat(text, 1+64<<10/len(text))
		return fault{name: "not HTTP: " + name, works: true, send: until(func(string) string { return begin }, func(x *exchange) { x.endless(text) }), right: lost}
	}
	return []fault{
		says("a status line of garbage", "\x00\x01\x02 what?\r\n\r\n"),
		says("a status that is no number", "HTTP/1.1 OK 200\r\n\r\n"),
		says("another protocol", "SSH-2.0-OpenSSH_9.9\r\n"),
		says("no header at all", ""),
		says("a header without a name", "HTTP/1.1 200 OK\r\n: value\r\n\r\n"),
		says("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
		says("a length below zero", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
		endless("a status line without end", "HTTP/1.1 200 ", "OK "),
		endless("a header without end", "HTTP/1.1 200 OK\r\n", "X-Padding: "+strings.Repeat("x", 1000)+"\r\n"),
		endless("a value without end", "HTTP/1.1 200 OK\r\nX-Padding: ", "x"),
		endless("early hints without end", "", "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"),
		{name: "not HTTP: another protocol, by agreement", works: true, send: until(func(right string) string {
			return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: vendor/2\r\n\r\n" + right
		}, (*exchange).untilLeft), right: untrusted()},
	}
}

// redirects lead to another host, with the request's own query.
func redirects() []fault {
	var all []fault
	for _, status := range []int{301, 302, 303, 307, 308} {
		all = append(all, fault{name: fmt.Sprintf("redirect: %d to another host", status), send: func(x *exchange) bool {
			return x.write(message(status, "Location: "+x.elsewhere+x.request.URL.RequestURI()+"\r\n", ""))
		}, right: refusedAs(schema.UpstreamError)})
	}
	return all
}

// busy is 429 with every form of Retry-After.
func busy() []fault {
	after := func(value string, right outcome) fault {
		return fault{name: "429: Retry-After: " + value, send: reply(http.StatusTooManyRequests, "Retry-After: "+value+"\r\n", ""), right: right}
	}
	again, later := againAs(schema.RateLimited), laterAs(schema.RateLimited)
	return []fault{
		{name: "429: without more", send: reply(http.StatusTooManyRequests, "", ""), right: again},
		after("0", again), after("1", again), after("soon", again), after("-5", again), after("1.5", again),
		after("Fri, 31 Dec 1999 23:59:59 GMT", again),
		after("3600", later), after("99999999999999999999", later), after("Fri, 31 Dec 9999 23:59:59 GMT", later),
	}
}

// codes are the vendor's documented refusals, and one that is not known.
func codes() []fault {
	var all []fault
	add := func(right outcome, codes ...int) {
		for _, code := range codes {
			all = append(all, fault{name: fmt.Sprintf("code: %d", code), send: reply(http.StatusOK, jsonType, refusal(code)), right: right})
		}
	}
	add(refusedAs(schema.InvalidToken), 100)
	add(refusedAs(schema.UpstreamRejected), 101, 202, 400, 777, -1)
	add(againAs(schema.CollectionFailed), 301)
	add(againAs(schema.RateLimited), 302)
	add(laterAs(schema.DailyQuotaExceeded), 303)
	add(againAs(schema.UpstreamError), 500, 503)
	add(refusedAs(schema.PermissionDenied), 600)
	add(refusedAs(schema.InsufficientBalance), 601, 602)
	return all
}

// refusal is an envelope with another code than 0.
func refusal(code int) string {
	return fmt.Sprintf(`{"code":%d,"message":"The vendor's words","data":null,"recordTime":null,"requestId":"r-%d"}`, code, code)
}

// statuses come without an envelope, or with one that says otherwise.
func statuses() []fault {
	bare := func(status int, right outcome) fault {
		return fault{name: fmt.Sprintf("status: %d without an answer", status), send: reply(status, "", ""), right: right}
	}
	with := func(status, code int, right outcome) fault {
		return fault{name: fmt.Sprintf("status: %d with code %d", status, code), send: reply(status, jsonType, refusal(code)), right: right}
	}
	return []fault{
		bare(200, untrusted()), bare(400, refusedAs(schema.UpstreamRejected)), bare(408, maybeAs(schema.Timeout)), bare(418, refusedAs(schema.UpstreamRejected)),
		bare(499, maybeAs(schema.Timeout)), bare(500, againAs(schema.UpstreamError)), bare(502, maybeAs(schema.UpstreamError)), bare(503, againAs(schema.UpstreamError)),
		bare(504, maybeAs(schema.Timeout)), bare(520, maybeAs(schema.Timeout)), bare(521, againAs(schema.UpstreamError)), bare(600, untrusted()), bare(999, untrusted()),
		with(401, 100, refusedAs(schema.InvalidToken)), with(403, 600, refusedAs(schema.PermissionDenied)), with(429, 302, againAs(schema.RateLimited)),
		with(502, 500, againAs(schema.UpstreamError)), with(504, 601, refusedAs(schema.InsufficientBalance)),
		{name: "status: 204", send: func(x *exchange) bool { return x.write("HTTP/1.1 204 No Content\r\n\r\n") }, right: untrusted()},
		{name: "status: 503 with the token in its words", send: func(x *exchange) bool {
			return x.write(message(http.StatusServiceUnavailable, jsonType, `{"code":503,"message":"`+x.request.URL.RequestURI()+` failed"}`))
		}, right: againAs(schema.UpstreamError)},
	}
}

// gone is what moves a process to the vendor's other endpoint for good. It
// comes in no storm.
func gone() []fault {
	return []fault{
		{name: "gone: code 300", send: reply(http.StatusOK, jsonType, refusal(300)), right: asksTheOther()},
		{name: "gone: code 404", send: reply(http.StatusOK, jsonType, refusal(404)), right: asksTheOther()},
		{name: "gone: HTML with 404", send: reply(http.StatusNotFound, "Content-Type: text/html\r\n", "<title>Not found</title>"), right: asksTheOther()},
		{name: "gone: HTTP 410", send: reply(http.StatusGone, "", ""), right: asksTheOther()},
	}
}

// notEnvelopes are answers that are not in the vendor's envelope.
func notEnvelopes() []fault {
	says := func(name, text string) fault {
		return fault{name: "envelope: " + name, works: true, send: body(func(string) string { return text }), right: untrusted()}
	}
	becomes := func(name, old, now string) fault {
		return fault{name: "envelope: " + name, works: true, send: body(func(right string) string { return strings.Replace(right, old, now, 1) }), right: untrusted()}
	}
	return []fault{
		says("white space", " \r\n\t "),
		says("null", "null"),
		says("a number", "0"),
		says("a string", `"code 0"`),
		says("a list", `[{"code":0}]`),
		says("an empty object", "{}"),
		says("a word", "OK"),
		becomes("no code", `"code":0,`, ""),
		becomes("a code that is a string", `"code":0`, `"code":"0"`),
		becomes("a code that is null", `"code":0`, `"code":null`),
		becomes("a code with a fraction", `"code":0`, `"code":0.0`),
		becomes("a code with an exponent", `"code":0`, `"code":0e0`),
		becomes("a code in capitals", `"code":0`, `"CODE":0`),
		becomes("two codes", `"code":0`, `"code":0,"code":301`),
		becomes("two codes that agree", `"code":0`, `"code":0,"code":0`),
		becomes("two data", `"data":`, `"data":null,"data":`),
		becomes("no data", `"data":`, `"datum":`),
		{name: "envelope: two answers in one", works: true, send: body(func(right string) string { return right + right }), right: untrusted()},
		{name: "envelope: a word behind the answer", works: true, send: body(func(right string) string { return right + "OK" }), right: untrusted()},
	}
}

// notPortraits are data that are no portrait.
func notPortraits() []fault {
	is := func(name, data string) fault {
		return fault{name: "data: " + name, works: true, right: untrusted(),
			send: body(func(string) string { return `{"code":0,"message":null,"data":` + data + `,"requestId":"r"}` })}
	}
	age := func(name, row string) fault { return is(name, `{"ages":[{"group":"18-24",`+row+`}]}`) }
	return []fault{
		is("null", "null"), is("a string", `"none"`), is("a list", "[]"), is("an empty object", "{}"), is("empty lists", `{"ages":[],"gender":{},"cities":null}`),
		is("an object for a list", `{"ages":{"18-24":0.5}}`), is("a number for a row", `{"ages":[0.5]}`), is("a list for gender", `{"gender":[0.5,0.5]}`),
		age("a share that is a string", `"percent":"0.5"`), age("a share that is null", `"percent":null`), age("no share", `"share":0.5`),
		age("a share that is NaN", `"percent":NaN`), age("a share without end", `"percent":1e999`), age("a share in percent", `"percent":50`),
		age("a share above 1", `"percent":1.001`), age("a share below 0", `"percent":-0.1`), age("two shares", `"percent":0.5,"percent":0.6`),
		age("two groups", `"group":"25-34","percent":0.5`),
		is("a group twice", `{"ages":[{"group":"18-24","percent":0.5},{"group":"18-24","percent":0.4}]}`),
		is("a group without a name", `{"ages":[{"group":"","percent":0.5}]}`),
		is("a name that is no UTF-8", "{\"cities\":[{\"name\":\"\xff\xfe\",\"percent\":0.5}]}"),
		is("a name of half a character", `{"cities":[{"name":"\ud800","percent":0.5}]}`),
		is("a name that moves the cursor", `{"cities":[{"name":"\u001b[2J","percent":0.5}]}`),
		is("a name of a thousand letters", `{"cities":[{"name":"`+strings.Repeat("x", 1000)+`","percent":0.5}]}`),
		is("too many rows", `{"cities":[`+rows(1001)+`]}`),
		is("a date that is a number", `{"gender":{"male":0.5},"dateKey":20260308}`),
		{name: "data: the token", works: true, right: untrusted(), send: func(x *exchange) bool {
			return x.write(message(http.StatusOK, jsonType, `{"code":0,"data":{"gender":{"male":0.5},"request":"`+x.request.URL.RequestURI()+`"}}`))
		}},
	}
}

func rows(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`{"name":"city %d","percent":0.0001}`, i)
	}
	return strings.Join(all, ",")
}
