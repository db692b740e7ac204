package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rule tells which values a variable takes.
type rule struct {
	// takes ends the sentence "it takes ...".
	takes string
	// clean returns the value in the form that envconfig decodes, and whether
	// it is taken. The value is not empty and has no white space around it.
	clean func(value string) (string, bool)
	// secret is set where the value must never be shown.
	secret bool
}

// secret makes a rule for values that must never be shown.
func secret(r rule) rule {
	r.secret = true
	return r
}

// anything takes every value; what else there is to check needs more than it.
func anything() rule {
	return rule{clean: func(value string) (string, bool) { return value, true }}
}

// oneOf takes the given words in upper or lower case.
func oneOf[T ~string](words ...T) rule {
	names := make([]string, len(words))
	for i, word := range words {
		names[i] = string(word)
	}
	last := len(names) - 1
	return rule{
		takes: strings.Join(names[:last], ", ") + " or " + names[last],
		clean: func(value string) (string, bool) {
			word := strings.ToLower(value)
			return word, slices.Contains(names, word)
		},
	}
}

func boolean() rule {
	return rule{
		takes: "true or false",
		clean: func(value string) (string, bool) {
			b, err := strconv.ParseBool(strings.ToLower(value))
			return strconv.FormatBool(b), err == nil
		},
	}
}

// whole takes decimal whole numbers. What it returns has no leading zero,
// which envconfig would read as octal.
func whole(least, most int) rule {
	return rule{
		takes: fmt.Sprintf("a whole number from %d to %d", least, most),
		clean: func(value string) (string, bool) {
			n, err := strconv.Atoi(value)
			return strconv.Itoa(n), err == nil && least <= n && n <= most
		},
	}
}

// number takes numbers with a fraction. Its lower bound keeps the time between
// two requests within what a duration can hold.
func number(least, most float64) rule {
	return rule{
		takes: fmt.Sprintf("a number from %v to %v, such as 5 or 0.5", least, most),
		clean: func(value string) (string, bool) {
			n, err := strconv.ParseFloat(value, 64)
			return strconv.FormatFloat(n, 'g', -1, 64), err == nil && least <= n && n <= most
		},
	}
}

func duration(example string, least, most time.Duration) rule {
	return rule{
		takes: fmt.Sprintf("a duration such as %s, from %s to %s", example, brief(least), brief(most)),
		clean: func(value string) (string, bool) {
			d, err := time.ParseDuration(value)
			return d.String(), err == nil && least <= d && d <= most
		},
	}
}

// brief writes a duration as a person would: 10m, not 10m0s.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// address takes the base of an HTTP API. A user name, a query or a fragment
// would be lost or, worse, carry a secret to where addresses are shown.
func address() rule {
	return rule{
		takes: "an http or https address without user name, query or fragment, such as https://api.example.com",
		clean: func(value string) (string, bool) {
			u, err := url.Parse(value)
			if err != nil || strings.ContainsAny(value, "?#") {
				return "", false
			}
			ok := (u.Scheme == "http" || u.Scheme == "https") && u.User == nil && u.Hostname() != "" && isPort(u.Port(), true)
			return strings.TrimRight(u.String(), "/"), ok
		},
	}
}

func storage() rule {
	return rule{
		takes: "sqlite:PATH, memory: or redis://HOST:PORT/DB (rediss:// for TLS)",
		clean: func(value string) (string, bool) {
			_, ok := parseStore(value)
			return value, ok
		},
	}
}

func listenAddress() rule {
	return rule{
		takes: "host:port, such as 127.0.0.1:8080",
		clean: func(value string) (string, bool) {
			host, port, err := net.SplitHostPort(value)
			return value, err == nil && (host == "" || isHost(host)) && isPort(port, false)
		},
	}
}

// listOf takes values separated by commas that the check takes one by one.
func listOf(takes string, check func(string) (string, bool)) rule {
	return rule{takes: takes, clean: func(value string) (string, bool) {
		values := list(value)
		for i, v := range values {
			clean, ok := check(v)
			if !ok {
				return "", false
			}
			values[i] = clean
		}
		return strings.Join(values, ","), true
	}}
}

// list splits at commas and drops what is empty.
func list(value string) []string {
	var values []string
	for v := range strings.SplitSeq(value, ",") {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	return values
}

// bearerToken takes what a client can put after "Bearer" in a header.
func bearerToken(value string) (string, bool) {
	return value, !strings.ContainsFunc(value, notGraphic)
}

// hostHeader takes a host, or host:port, in the form of a Host header, which
// has an IPv6 address in brackets; one without them gets them. There is no
// wildcard: a list that lets every host through would be no protection.
func hostHeader(value string) (string, bool) {
	value = strings.ToLower(value)
	if isIPv6(value) {
		return "[" + value + "]", true
	}
	host := value
	if _, port, err := net.SplitHostPort(value); err == nil {
		if !isPort(port, false) {
			return "", false
		}
		host = strings.TrimSuffix(value, ":"+port)
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return value, ok && isIPv6(inner)
	}
	return value, isHost(host) && !strings.Contains(host, ":")
}

// isIPv6 refuses zones, which mean something on one machine only.
func isIPv6(s string) bool {
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Is6() && ip.Zone() == ""
}

func originHeader(value string) (string, bool) {
	value = strings.ToLower(value)
	u, err := url.Parse(value)
	if err != nil {
		return "", false
	}
	ok := u.Scheme != "" && isHost(u.Hostname()) && isPort(u.Port(), true)
	return value, ok && value == u.Scheme+"://"+u.Host
}

// isHost reports whether s may be an IP address or the name of a host.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(letters, r) })
}

// isPort reports whether s is a port's number, or nothing where that will do.
func isPort(s string, optional bool) bool {
	if s == "" {
		return optional
	}
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// notGraphic reports whether r is anything but a visible ASCII character.
func notGraphic(r rune) bool {
	return r <= ' ' || r >= 0x7f
}
