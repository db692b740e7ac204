package secret_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/secret"
)

const (
	first  = "first-secret-of-all"
	second = "second/secret+of~all"
)

func TestNamedSecretsAreParsed(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"a name", "team-a.1_X=" + first, "team-a.1_X=" + first},
		{"none", first, "token-1b07615c=" + first},
		{"by comma and line", "a=" + first + " , b=" + second + "\r\n\n c=sixteen-letters! \n", "a=" + first + " b=" + second + " c=sixteen-letters!"},
		{"comments", "# old=" + first + ", " + second + "\n  #\nb=" + second, "b=" + second},
		{"from an editor on Windows", "\ufeffa=" + first + "\r\n", "a=" + first},
		{"one name twice, for rotation", "a=" + first + ",a=" + second, "a=" + first + " a=" + second},
		{"one secret twice", "a=" + first + ",a=" + first, "a=" + first + " a=" + first},
		{"base64 has a name", "a=c2VjcmV0LXNlY3JldA==", "a=c2VjcmV0LXNlY3JldA=="},
		{"= within", "a=b=c=0123456789abcdef", "a=b=c=0123456789abcdef"},
	} {
		named, err := secret.ParseNamed(test.text)
		require.NoError(t, err, test.name)
		var got []string
		for _, n := range named {
			got = append(got, n.Name+"="+n.Reveal())
		}
		assert.Equal(t, test.want, strings.Join(got, " "), test.name)
	}
}

func TestWrongNamedSecretsAreRefused(t *testing.T) {
	const characters, name = "line 1: a secret has at least 16 visible ASCII characters, and no white space", "line 1: a name has 1 to 64 of A-Z a-z 0-9 . _ -"
	for _, test := range []struct{ name, text, want string }{
		{"short", "a=fifteen-letters", characters},
		{"white space", "a=" + first + " " + second, characters},
		{"not ASCII", "a=ключ-ключ-ключ-ключ", characters},
		{"name alone, as where a variable was empty", "marketing-sales-germans=", "line 1: a secret that ends in = needs a name: NAME=SECRET"},
		{"base64 has no name", "c2VjcmV0LXNlY3JldC1zZWNyZXQ==", "line 1: a secret that ends in = needs a name: NAME=SECRET"},
		{"no name", "=" + first, name},
		{"name with a space", "team a=" + first, name},
		{"long name", strings.Repeat("n", 65) + "=" + first, name},
		{"one secret, two names", "a=" + first + "\nb=" + first, "line 2: one secret has two names"},
		{"one secret, with a name and without", first + "\n\nb=" + first, "line 3: one secret has two names"},
	} {
		_, err := secret.ParseNamed(test.text)
		assert.EqualError(t, err, test.want, test.name)
	}
}
