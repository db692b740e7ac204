package secret

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// shortest is how many characters a named secret has at least: one that is shorter
// can be guessed over the network.
const shortest = 16

// nameChars are those that a name may have. A pattern would take a hundredth
// of the start to compile.
const nameChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

// Named is a secret that has a name, such as the bearer token of a team.
type Named struct {
	Name string
	Secret
}

// ParseNamed reads secrets, NAME=SECRET or SECRET, by comma or line; blank lines
// and those that begin with # are skipped. A name has 1 to 64 of A-Z a-z 0-9 . _ -
// and may come twice; a secret has at least 16 visible ASCII characters, none of
// them a comma, and may have one name only. A secret without a name is called
// token- and eight digits of its SHA-256 sum; one that ends in = needs a name. The error quotes nothing of text.
func ParseNamed(text string) ([]Named, error) {
	var all []Named
	names := map[string]string{} // of each secret
	// Editors on Windows begin a file with a byte order mark.
	for number, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for entry := range strings.SplitSeq(line, ",") {
			entry = strings.TrimSpace(entry)
			if entry == "" {
				continue
			}
			name, value, err := splitNamed(entry)
			if other, ok := names[value]; err == nil && ok && other != name {
				err = errors.New("one secret has two names")
			}
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", number+1, err)
			}
			names[value] = name
			all = append(all, Named{name, New(value)})
		}
	}
	return all, nil
}

// splitNamed takes NAME=SECRET or SECRET apart.
func splitNamed(entry string) (name, value string, err error) {
	name, value, ok := strings.Cut(entry, "=")
	if ok && strings.Trim(value, "=") == "" { // where a variable was empty, this is a name alone
		return "", "", errors.New("a secret that ends in = needs a name: NAME=SECRET")
	}
	if !ok {
		value = entry
		name = fmt.Sprintf("token-%x", sha256.Sum256([]byte(value)))[:len("token-")+8]
	}
	switch {
	case name == "" || len(name) > 64 || strings.Trim(name, nameChars) != "":
		return "", "", errors.New("a name has 1 to 64 of A-Z a-z 0-9 . _ -")
	case len(value) < shortest || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", "", fmt.Errorf("a secret has at least %d visible ASCII characters, and no white space", shortest)
	}
	return name, value, nil
}
