package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// envelope is what the vendor wraps every answer in.
type envelope struct {
	code      int             // unknown where none was read
	damaged   bool            // it began as an object, but is no whole envelope
	message   string          // empty where null, absent or no string
	requestID string          // the same
	data      json.RawMessage // byte for byte; nil where absent
}

// unknown is the code of an envelope that has none to be read.
const unknown = -1

// errIncomplete is an answer that was JSON as far as it went.
var errIncomplete = errors.New("the answer broke off")

// decodeEnvelope reads the vendor's envelope: a JSON object with an integer
// code, behind a byte order mark or not. Where it cannot, it returns what it
// could read, and an error that says what is wrong.
func decodeEnvelope(body []byte) (envelope, error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	members, err := decodeMembers(body, "code", "message", "requestId", "data")
	read := envelope{code: unknown, data: members.get("data"), message: text(members.get("message")), requestID: text(members.get("requestId"))}
	read.damaged = err != nil && shapeOf(body) == "an object"
	raw := members.get("code")
	code, notInt := strconv.Atoi(string(raw))
	if notInt == nil {
		read.code = code
	}
	switch {
	case err != nil:
		return read, err
	case !members.has("code"):
		return read, errors.New("it has no code")
	case notInt != nil:
		return read, fmt.Errorf("code is %s, not an integer", literal(raw))
	}
	return read, nil
}

// text is the string that raw holds, or nothing.
func text(raw json.RawMessage) string {
	if shapeOf(raw) != "a string" {
		return ""
	}
	return unquote(raw)
}

// unquote returns what a JSON string stands for, with U+FFFD for half a
// surrogate pair. That is all that AppendUnquote can complain of in a string
// that has been read.
func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : len(raw)-1])
	}
	s, _ := jsontext.AppendUnquote(nil, raw)
	return string(s)
}

// members are some of an object's.
type members []member

type member struct {
	name  string
	value json.RawMessage // nil where the object has the name twice
}

// get returns the value of a member, byte for byte; nil where there is none.
func (m members) get(name string) json.RawMessage {
	for _, member := range m {
		if member.name == name {
			return member.value
		}
	}
	return nil
}

func (m members) has(name string) bool {
	return slices.ContainsFunc(m, func(member member) bool { return member.name == name })
}

// decodeMembers reads the object that raw holds, and nothing else, and returns
// those members that are wanted, as readMembers does.
func decodeMembers(raw []byte, wanted ...string) (members, error) {
	if err := mustBeObject(shapeOf(raw)); err != nil {
		return nil, err
	}
	decoder := newDecoder(raw)
	found, err := readMembers(decoder, raw, make(members, 0, len(wanted)), wanted...)
	if _, repeated := errors.AsType[repeatedError](err); err != nil && !repeated {
		return found, err
	}
	if _, end := decoder.ReadToken(); !errors.Is(end, io.EOF) {
		return found, errors.New("it goes on after its end")
	}
	return found, err
}

// mustBeObject says that a value of another shape is no object.
func mustBeObject(shape string) error {
	switch shape {
	case "an object":
		return nil
	case notJSON:
		return errors.New("it is not JSON")
	default:
		return fmt.Errorf("it is %s, not an object", shape)
	}
}

// readMembers reads the object that comes next in raw, and appends those members
// that are wanted to found, each byte for byte. It reads by parts, so that an
// object with a million other members costs no memory, and returns what it has
// where the object turns out broken. Names are matched exactly, and none may come
// twice: which one were right? Neither is returned then, and the error is a
// repeatedError.
func readMembers(decoder *jsontext.Decoder, raw []byte, found members, wanted ...string) (members, error) {
	if _, err := decoder.ReadToken(); err != nil {
		return found, broken(err)
	}
	var repeated error
	for decoder.PeekKind() != jsontext.KindEndObject {
		name, err := decoder.ReadValue()
		if err != nil {
			return found, broken(err)
		}
		want := slices.IndexFunc(wanted, func(want string) bool { return spells(name, want) })
		value, err := readValue(decoder, raw)
		if err != nil {
			return found, broken(err)
		}
		if want < 0 {
			continue
		}
		if at := slices.IndexFunc(found, func(m member) bool { return m.name == wanted[want] }); at >= 0 {
			repeated, found[at].value = repeatedError{wanted[want]}, nil
			continue
		}
		found = append(found, member{wanted[want], value})
	}
	if _, err := decoder.ReadToken(); err != nil {
		return found, broken(err)
	}
	return found, repeated
}

// repeatedError is that an object has a member twice.
type repeatedError struct{ member string }

// Error says which member it is.
func (e repeatedError) Error() string { return "it has " + e.member + " twice" }

// spells reports whether a JSON string stands for text.
func spells(raw []byte, text string) bool {
	return string(raw[1:len(raw)-1]) == text || bytes.IndexByte(raw, '\\') >= 0 && unquote(raw) == text
}

// newDecoder reads JSON in raw where it lies. Repeated names and broken UTF-8
// are left to those who know which of them matter.
func newDecoder(raw []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// readValue returns the next value of raw, which decoder reads, byte for byte.
func readValue(decoder *jsontext.Decoder, raw []byte) (json.RawMessage, error) {
	value, err := decoder.ReadValue()
	if err != nil {
		return nil, err
	}
	end := int(decoder.InputOffset())
	return json.RawMessage(raw[end-len(value) : end : end]), nil
}

// broken tells JSON that stops early from what is not JSON.
func broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errIncomplete
	}
	// Only what is wrong: where it is would be told in the vendor's own words.
	if syntax := (*jsontext.SyntacticError)(nil); errors.As(err, &syntax) && syntax.Err != nil {
		err = syntax.Err
	}
	return fmt.Errorf("it is not JSON: %w", err)
}

// notJSON is the shape of what no JSON value begins with.
const notJSON = "not JSON"

// shapeOf names what a JSON value is by its first byte.
func shapeOf(raw []byte) string {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return "empty"
	}
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return "a number"
	default:
		return notJSON
	}
}

// literal is a number as it was written, in short, or the shape of anything
// else.
func literal(raw json.RawMessage) string {
	const enough = 32
	switch shape := shapeOf(raw); {
	case shape != "a number":
		return shape
	case len(raw) > enough:
		return string(raw[:enough]) + "..."
	default:
		return string(raw)
	}
}
