package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"kol-portrait-mcp/schema"
)

// minToken is the length in bytes from which the token is looked for in data.
// Something shorter occurs there by chance.
const minToken = 8

// judge tells what an answer means: by the code in its envelope where it has
// one, whatever the HTTP status, and else by the status. What began as an
// envelope and is damaged before its code may have been charged, whatever the
// status. Only what the vendor says in an envelope is quoted: the rest comes
// from anywhere between here and there.
func (c *Client) judge(resp *http.Response, body []byte) (*schema.Portrait, *failure) {
	env, err := readEnvelope(body)
	switch {
	case len(body) > maxBody:
		return nil, untrusted(fmt.Errorf("it is larger than %d MiB", maxBody>>20))
	case env.isPortrait(err):
		if token := c.config.Token; env.data != nil && len(token.Reveal()) >= minToken {
			env.data = json.RawMessage(token.Hide(string(env.data)))
		}
		return &schema.Portrait{
			RetrievedAt: time.Now().UTC().Truncate(time.Millisecond),
			Environment: c.config.Environment,
			Sample:      c.config.Environment == schema.EnvironmentSample || resp.Header.Get("X-Sample-Data") == "true",
			RequestID:   c.requestID(env),
			Data:        env.data,
		}, nil
	case err == nil:
		return nil, c.refused(env, resp.Header)
	case errors.Is(err, errBrokeOff):
		return nil, &failure{rule: rule{schema.Network, unsettled, "The vendor's answer broke off"}}
	case errors.Is(err, errDamaged), resp.StatusCode >= 200 && resp.StatusCode < 300:
		return nil, untrusted(err)
	default:
		fail := &failure{rule: statusRule(resp.StatusCode), wait: retryAfter(resp.Header), status: resp.StatusCode}
		fail.what += fmt.Sprintf(" (HTTP %d)", resp.StatusCode)
		return nil, fail
	}
}

// untrusted is the failure of an answer of which nobody knows whether it was
// charged.
func untrusted(err error) *failure {
	return &failure{rule: rule{schema.BadResponse, doubtful, "The vendor's answer cannot be trusted: " + err.Error()}}
}

// refused is the failure of an answer with another code than 0. It quotes what
// the vendor says, in short, in one line, and with odd characters escaped.
func (c *Client) refused(env envelope, header http.Header) *failure {
	const longest = 200
	fail := &failure{rule: unknownCode, wait: retryAfter(header), code: env.code, requestID: c.requestID(env)}
	if known, ok := codes[env.code]; ok {
		fail.rule = known
	}
	if fail.kind == schema.DailyQuotaExceeded {
		fail.wait = time.Until(schema.NextDay(time.Now()))
	}
	fail.what += fmt.Sprintf(" (code %d)", env.code)
	message := []rune(strings.Join(strings.Fields(c.config.Token.Hide(env.message)), " "))
	if len(message) > longest {
		message = append(message[:longest], []rune("...")...)
	}
	if len(message) > 0 {
		fail.what += fmt.Sprintf(": %q", string(message))
	}
	return fail
}

// requestID is the vendor's id of a request where it looks like one, so that
// it can be printed anywhere.
func (c *Client) requestID(env envelope) string {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"
	id := c.config.Token.Hide(env.requestID)
	if len(id) > 128 || strings.Trim(id, allowed) != "" {
		return ""
	}
	return id
}

// envelope is what the vendor wraps every answer in.
type envelope struct {
	code      int // noCode where there is none
	message   string
	requestID string
	data      json.RawMessage // byte for byte; nil where absent
	whole     bool            // data did not break off
}

const noCode = -1

// What keeps an answer from being an envelope.
var (
	errNoObject = errors.New("it is not a JSON object")
	errNoCode   = errors.New("it has no code")
	errDamaged  = errors.New("its JSON is damaged")
	errBrokeOff = errors.New("it broke off")
)

// readEnvelope reads the vendor's envelope, behind a byte order mark or not. A
// code of 0 stays, whatever follows. Where the JSON is damaged, data is all that
// follows, unless it was read before: it may have been paid for.
func readEnvelope(body []byte) (envelope, error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	env, dec := envelope{code: noCode}, newDecoder(body)
	if dec.PeekKind() != '{' {
		return env, errNoObject
	}
	err := readObject(dec, func(name string) error {
		value, err := dec.ReadValue()
		switch {
		case err != nil && name == "data":
			env.data = bytes.Clone(bytes.TrimLeft(body[dec.InputOffset():], ": \t\r\n"))
		case err != nil:
		case name == "code":
			if code, notInt := strconv.Atoi(strings.Trim(string(value), `"`)); notInt == nil && env.code != 0 {
				env.code = code
			}
		case name == "message":
			_ = json.Unmarshal(value, &env.message) // it stays empty where that is no string
		case name == "requestId":
			_ = json.Unmarshal(value, &env.requestID)
		case name == "data":
			env.data, env.whole = bytes.Clone(value), true
		}
		return err
	})
	rest := body[dec.InputOffset():]
	switch {
	case err == nil && len(bytes.TrimSpace(rest)) > 0:
		return env, errDamaged
	case err == nil && env.code == noCode:
		return env, errNoCode
	case err == nil:
		return env, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return env, errBrokeOff
	case env.data == nil:
		env.data = bytes.Clone(bytes.TrimLeft(rest, ":, \t\r\n"))
	}
	return env, errDamaged
}

// isPortrait reports whether the answer is to be kept: its code is 0, and if it
// broke off, something of its data can be read. err is what readEnvelope returned.
func (e envelope) isPortrait(err error) bool {
	if e.code != 0 || !errors.Is(err, errBrokeOff) {
		return e.code == 0
	}
	read := Read(e.data)
	return !read.Distributions.IsEmpty()
}

// newDecoder reads JSON of the vendor's, in which a repeated name or odd UTF-8
// costs nobody an answer.
func newDecoder(raw []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// readObject reads the object that comes next. For each member it calls read,
// which reads the value.
func readObject(dec *jsontext.Decoder, read func(name string) error) error {
	_, err := dec.ReadToken()
	for err == nil && dec.PeekKind() != '}' {
		var name jsontext.Token
		if name, err = dec.ReadToken(); err == nil {
			err = read(name.String())
		}
	}
	if err == nil {
		_, err = dec.ReadToken()
	}
	return err
}
