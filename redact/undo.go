package redact

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf8"
)

// undoings are the ways to take one layer of escapes off a text. What is no
// escape sequence stays.
func undoings() []func(string) string {
	return []func(string) string{unpercent, html.UnescapeString, unbackslash}
}

// unpercent undoes %2F, and %u002F as JavaScript's old escape function has it.
// A plus sign stays one.
func unpercent(text string) string {
	return undo(text, '%', func(out *strings.Builder, rest string) int {
		if b, ok := byteAt(rest, 2, 16); ok {
			out.WriteByte(b)
			return 2
		}
		if r, ok := runeAt(strings.TrimPrefix(rest, "u"), 4); ok && rest[0] == 'u' {
			out.WriteRune(r)
			return 5
		}
		return 0
	})
}

// unbackslash undoes the escapes of JSON and of source code.
func unbackslash(text string) string {
	return undo(text, '\\', func(out *strings.Builder, rest string) int {
		if rest == "" {
			return 0
		}
		switch rest[0] {
		case 'u', 'U':
			return unicodeEscape(out, rest)
		case 'x':
			if b, ok := byteAt(rest[1:], 2, 16); ok {
				out.WriteByte(b)
				return 3
			}
		case '0', '1', '2', '3':
			if b, ok := byteAt(rest, 3, 8); ok {
				out.WriteByte(b)
				return 3
			}
		case 'n', 't', 'r':
			out.WriteByte(' ') // which of them does not matter: no secret spans lines
			return 1
		}
		out.WriteByte(rest[0])
		return 1
	})
}

// unicodeEscape undoes u002F, u{2F} and U0000002F after their backslash.
func unicodeEscape(out *strings.Builder, rest string) int {
	digits, from, length := 4, 1, 5
	switch braced, _, closed := strings.Cut(strings.TrimPrefix(rest[1:], "{"), "}"); {
	case rest[0] == 'U':
		digits, length = 8, 9
	case closed && strings.HasPrefix(rest[1:], "{"):
		digits, from, length = len(braced), 2, len(braced)+3
	}
	r, ok := runeAt(rest[from:], digits)
	if !ok {
		out.WriteByte(rest[0])
		return 1
	}
	out.WriteRune(r)
	return length
}

// undo copies text, and hands what follows each mark to decode, which writes
// what it stands for and returns the length that it has understood; 0 leaves
// the mark as it is.
func undo(text string, mark byte, decode func(out *strings.Builder, rest string) int) string {
	if strings.IndexByte(text, mark) < 0 {
		return text
	}
	var out strings.Builder
	out.Grow(len(text))
	for {
		at := strings.IndexByte(text, mark)
		if at < 0 {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:at])
		text = text[at+1:]
		n := decode(&out, text)
		if n == 0 {
			out.WriteByte(mark)
		}
		text = text[n:]
	}
}

// byteAt reads the byte that the first digits of text are, if they are.
func byteAt(text string, digits, base int) (byte, bool) {
	if len(text) < digits {
		return 0, false
	}
	n, err := strconv.ParseUint(text[:digits], base, 8)
	return byte(n), err == nil
}

// runeAt reads the rune that the first hex digits of text are, if they are.
func runeAt(text string, digits int) (rune, bool) {
	if len(text) < digits {
		return 0, false
	}
	n, err := strconv.ParseUint(text[:digits], 16, 31)
	return rune(n), err == nil && n <= utf8.MaxRune
}
