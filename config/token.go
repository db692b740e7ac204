package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

// maxTokenFile is the size in bytes beyond which a file holds something other
// than a token.
const maxTokenFile = 64 << 10

// settleToken checks the token that was set, or reads it from its file. The
// sample upstream needs none, so whatever is set for another time is let be.
func (s *sieve) settleToken(c *Config) {
	if c.Environment == schema.EnvironmentSample {
		c.Token = Secret{}
		return
	}
	token := c.Token.Reveal()
	switch {
	case token != "" && c.TokenFile != "":
		s.complain(tokenName, "%s and %s are both set: drop one of them", tokenName, tokenFileName)
	case token != "":
		if fault := tokenFault(token); fault != "" {
			s.complain(tokenName, "%s %s", tokenName, fault)
		}
	case c.TokenFile != "":
		c.Token = s.tokenFromFile(c.TokenFile)
	}
}

func (s *sieve) tokenFromFile(path string) Secret {
	content, err := readTokenFile(path)
	if err != nil && looksLikeToken(path) {
		s.complain(tokenFileName, "%s names no file that can be read: it takes a path; a token itself goes into %s", tokenFileName, tokenName)
		return Secret{}
	}
	if err != nil {
		s.complain(tokenFileName, "%s is %s: cannot read it: %v", tokenFileName, s.quote(path), err)
		return Secret{}
	}
	token := strings.TrimSpace(content)
	if token == "" {
		s.complain(tokenFileName, "%s is %s: the file is empty; it takes a file that holds the token", tokenFileName, s.quote(path))
		return Secret{}
	}
	s.secrets = append(s.secrets, token)
	if fault := tokenFault(token); fault != "" {
		s.complain(tokenFileName, "%s is %s: the token in it %s", tokenFileName, s.quote(path), fault)
		return Secret{}
	}
	return NewSecret(token)
}

// readTokenFile returns what the file holds. Its errors leave the path out.
func readTokenFile(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // the operator says which file
	if err != nil {
		return "", withoutPath(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err != nil {
		return "", withoutPath(err)
	}
	if len(content) > maxTokenFile {
		return "", errors.New("it is larger than 64 KiB")
	}
	return string(content), nil
}

func withoutPath(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}

// tokenFault says what is wrong with a token, without showing it; nothing
// where it may be one.
func tokenFault(token string) string {
	switch {
	case isPlaceholder(token):
		return "is still the placeholder from the documentation: put your own token in its place"
	case strings.ContainsAny(token[:1]+token[len(token)-1:], `"'`):
		return "stands in quotation marks: leave them out"
	case strings.ContainsAny(token, " \t\r\n"):
		return "holds white space: it takes one token without spaces or line breaks"
	case strings.ContainsFunc(token, notGraphic):
		return "holds a character that is not printable ASCII: copy the token again"
	default:
		return ""
	}
}

// isPlaceholder reports whether a token is one of those that instructions
// show, or a ${NAME} that the client's settings did not replace.
func isPlaceholder(token string) bool {
	if strings.HasPrefix(token, "${") || strings.HasPrefix(token, "<") {
		return true
	}
	word := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(token))
	return slices.Contains([]string{
		"yourtoken", "yourapikey", "yourapitoken", "yourjustoneapitoken", "yourjustoneapikey",
		"yourtokenhere", "yourapikeyhere", "token", "apikey", "changeme",
	}, word)
}

// looksLikeToken reports whether a path that cannot be read may be the token
// itself, put into the wrong variable: nothing in it is a path's.
func looksLikeToken(path string) bool {
	return len(path) >= 16 && !strings.ContainsAny(path, `/\.`)
}
