package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sethvargo/go-envconfig"
)

// sieve is a lookuper that lets through what the rules take, in the one form
// that envconfig decodes without fail. A value that they refuse is remembered
// and passes as not set, so that one run finds all that is wrong, and says it
// in our words: envconfig's errors name Go fields and may quote a secret.
type sieve struct {
	source    envconfig.Lookuper
	variables []variable
	refused   map[string]string // by variable, the value that its rule does not take
	lines     map[string]string // by variable, a complaint in words of its own
	secrets   []string          // what no complaint may show, even from another variable's value
}

func newSieve(source envconfig.Lookuper) *sieve {
	return &sieve{
		source:    source,
		variables: variables(),
		refused:   make(map[string]string),
		lines:     make(map[string]string),
	}
}

// Lookup implements envconfig.Lookuper.
func (s *sieve) Lookup(name string) (string, bool) {
	value := s.raw(name)
	if value == "" {
		return "", false
	}
	i := slices.IndexFunc(s.variables, func(v variable) bool { return v.name == name })
	if i < 0 {
		return "", false
	}
	v := s.variables[i]
	if v.secret {
		s.secrets = append(s.secrets, list(value)...)
	}
	clean, ok := v.clean(value)
	if !ok {
		s.refused[name] = value
		return "", false
	}
	return clean, true
}

// raw returns the value as it was set, without the white space around it.
func (s *sieve) raw(name string) string {
	value, _ := s.source.Lookup(name)
	return strings.TrimSpace(value)
}

// complain remembers a complaint about a variable in words of its own.
func (s *sieve) complain(name, format string, args ...any) {
	s.lines[name] = fmt.Sprintf(format, args...)
}

// complaints returns what is wrong, one line for each variable, in their order.
func (s *sieve) complaints() []string {
	var lines []string
	for _, v := range s.variables {
		if line, ok := s.lines[v.name]; ok {
			lines = append(lines, line)
			continue
		}
		if value, ok := s.refused[v.name]; ok {
			lines = append(lines, fmt.Sprintf("%s is %s: it takes %s", v.name, s.show(v, value), v.takes))
		}
	}
	return lines
}

// show returns a refused value for the person who set it. Not where it may
// hold a secret: the signs are those of an address with a password or a query.
func (s *sieve) show(v variable, value string) string {
	if v.secret || strings.ContainsAny(value, "@?") {
		return hidden
	}
	return s.quote(value)
}

// quote returns the value on one line, at most 100 characters of it, unless a
// secret from elsewhere has found its way into it.
func (s *sieve) quote(value string) string {
	for _, secret := range s.secrets {
		if strings.Contains(value, secret) {
			return hidden
		}
	}
	return fmt.Sprintf("%.100q", value)
}
