package config

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"kol-portrait-mcp/secret"
)

// refusal is the error of a type that does not take a value: the reason, in
// words for whoever set it.
type refusal string

// Error implements error.
func (r refusal) Error() string { return string(r) }

// A client should have replaced ${HOME} and %APPDATA%, a shell $HOME, and a reader of
// the documentation YOUR_TOKEN.
var (
	placeholder       = regexp.MustCompile(`^(\$\{[^}]*\}|%\w+%|YOUR_TOKEN)$`)
	placeholderWithin = regexp.MustCompile(`\$\{[^}]*\}|%\w+%|^\$\w+`)
)

// IsPlaceholder reports whether a value is what a client or a reader should have
// replaced, such as ${user_config.token}. It counts as not set.
func IsPlaceholder(value string) bool { return placeholder.MatchString(strings.TrimSpace(value)) }

// Path is the path of a file. ~/ at its start has become the home folder.
type Path string

// EnvDecode implements envconfig.Decoder.
func (p *Path) EnvDecode(value string) error {
	if placeholderWithin.MatchString(value) {
		return refusal("it holds a placeholder that was not replaced, such as ${HOME} or %APPDATA%: write the path out, or begin it with ~/ for the home folder")
	}
	if strings.HasPrefix(value, "~/") || strings.HasPrefix(value, `~\`) {
		home, err := os.UserHomeDir()
		if err != nil {
			return refusal("it begins with ~/, but the home folder is not known: write the path out")
		}
		value = filepath.Join(home, value[2:])
	}
	*p = Path(value)
	return nil
}

// Address is the base of an HTTP API: http or https, with a host, perhaps a
// path, no slash at the end. A user name, a query or a fragment would be lost
// or, worse, carry a secret to where addresses are shown.
type Address string

// EnvDecode implements envconfig.Decoder.
func (a *Address) EnvDecode(value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.Hostname() == "" || strings.ContainsAny(value, "?#") {
		return refusal("it takes an http or https address without user name, query or fragment, such as https://api.example.com")
	}
	u.Host = strings.ToLower(u.Host)
	*a = Address(strings.TrimRight(u.String(), "/"))
	return nil
}

func (a Address) isLoopback() bool {
	u, err := url.Parse(string(a))
	return err == nil && isLoopback(u.Hostname())
}

// SecureURL is an https URL, or an http one of loopback. It stays as it was
// written: an issuer's name is compared letter by letter, and may end in a slash.
type SecureURL string

// EnvDecode implements envconfig.Decoder.
func (s *SecureURL) EnvDecode(value string) error {
	if value != "" && !isSecure(value) {
		return refusal("it takes an https URL, such as https://id.example.com (http for loopback alone)")
	}
	*s = SecureURL(value)
	return nil
}

// isSecure reports whether text is an absolute https URL, or an http one of
// loopback, without a user name and without a fragment.
func isSecure(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.User == nil && u.Hostname() != "" && !strings.Contains(text, "#") &&
		(u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
}

// Tokens are the bearer tokens of callers, with their names. Several may have one
// name.
type Tokens []secret.Named

// EnvDecode implements envconfig.Decoder.
func (t *Tokens) EnvDecode(value string) error {
	tokens, err := secret.ParseNamed(value)
	if err != nil {
		return refusal(err.Error())
	}
	*t = tokens
	return nil
}

// Scopes are what a JWT must permit.
type Scopes []string

// EnvDecode implements envconfig.Decoder.
func (s *Scopes) EnvDecode(value string) error {
	for scope := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		if strings.ContainsFunc(scope, func(r rune) bool { return r < '!' || r > '~' || r == '"' || r == '\\' }) {
			return refusal("it takes scopes separated by spaces or commas, such as portraits:read")
		}
		*s = append(*s, scope)
	}
	return nil
}

// Store says where portraits are kept.
type Store struct {
	Kind StoreKind
	// Path is the absolute path of a SQLite store's file; empty for the server's
	// own in the user's data folder, and for the other kinds.
	Path string
	// URL is the address of a Redis store, a secret since it may hold a password.
	// Nothing but its scheme has been looked at.
	URL secret.Secret
}

// StoreKind is a kind of store.
type StoreKind string

// The kinds of store.
const (
	StoreSQLite StoreKind = "sqlite" // a file, for the processes of one machine
	StoreMemory StoreKind = "memory" // gone when the process ends
	StoreRedis  StoreKind = "redis"  // shared by many replicas
)

// EnvDecode implements envconfig.Decoder.
func (s *Store) EnvDecode(value string) error {
	kind, rest, _ := strings.Cut(value, ":")
	kind = strings.ToLower(kind)
	switch {
	case value == "":
		*s = Store{Kind: StoreSQLite}
	case kind == "memory" && rest == "":
		*s = Store{Kind: StoreMemory}
	case (kind == "redis" || kind == "rediss") && strings.HasPrefix(rest, "//"):
		*s = Store{Kind: StoreRedis, URL: secret.New(value)}
	case kind == "sqlite" && rest != "" && rest != ":memory:" && !strings.HasPrefix(rest, "//"):
		// Refused are sqlite://name, which would be a file in the root folder, and
		// SQLite's own word for no file.
		var path Path
		if err := path.EnvDecode(rest); err != nil {
			return err
		}
		absolute, err := filepath.Abs(string(path))
		if err != nil {
			return refusal("its path is not absolute, and the working folder is not known: write the whole path")
		}
		*s = Store{Kind: StoreSQLite, Path: absolute}
	default:
		return refusal("it takes sqlite:PATH, memory: or redis://HOST:PORT/DB (rediss:// for TLS)")
	}
	return nil
}

// Transport is how clients reach the server.
type Transport string

// The transports.
const (
	TransportStdio Transport = "stdio" // standard input and output of this process
	TransportSSE   Transport = "sse"   // the HTTP+SSE transport of protocol revision 2024-11-05
	TransportHTTP  Transport = "http"  // Streamable HTTP, with HTTP+SSE beside it
)

// LogFormat is the form of a log line.
type LogFormat string

// The log formats.
const (
	LogText LogFormat = "text" // key=value, for people
	LogJSON LogFormat = "json" // one object a line, for machines
)

// HostPort is an address to listen on, host:port. An empty host is every
// interface, port 0 a free port.
type HostPort string

// EnvDecode implements envconfig.Decoder.
func (h *HostPort) EnvDecode(value string) error {
	if value == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(value)
	if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil {
		return refusal("it takes host:port, such as 127.0.0.1:8080")
	}
	*h = HostPort(value)
	return nil
}

// IsLoopback reports whether only this machine can reach the address.
func (h HostPort) IsLoopback() bool {
	host, _, _ := net.SplitHostPort(string(h)) // EnvDecode has seen to the error
	return isLoopback(host)
}

// isLoopback reports whether host, without a port, names this very machine.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// Hosts are values of the Host header, in lower case, with or without a port;
// an IPv6 address stands in brackets. There is no wildcard: a list that lets
// every host through would be no protection.
type Hosts []string

// EnvDecode implements envconfig.Decoder.
func (h *Hosts) EnvDecode(value string) error {
	*h = list(value)
	for _, host := range *h {
		if !isOrigin("http://" + host) {
			return refusal("it takes host names, with or without a port, separated by commas, such as portraits.example.com")
		}
	}
	return nil
}

// Origins are values of the Origin header, in lower case, scheme://host or
// scheme://host:port.
type Origins []string

// EnvDecode implements envconfig.Decoder.
func (o *Origins) EnvDecode(value string) error {
	*o = list(value)
	for _, origin := range *o {
		if !isOrigin(origin) {
			return refusal("it takes origins without a path, separated by commas, such as https://app.example.com")
		}
	}
	return nil
}

// list splits at commas, drops what is empty, and puts the rest in lower case.
func list(value string) []string {
	var values []string
	for v := range strings.SplitSeq(strings.ToLower(value), ",") {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	return values
}

// isOrigin reports whether text is scheme://host or scheme://host:port.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Hostname() != "" && text == u.Scheme+"://"+u.Host &&
		!strings.HasSuffix(text, ":") && !strings.ContainsAny(text, "*% ")
}
