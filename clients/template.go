package clients

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

// filling is what the holes of a template are filled with.
type filling struct {
	command, url string
	env          map[string]string
}

// environment returns the variables that the server is started with. The vendor's token
// is not in it.
func (s *Setup) environment(given map[string]string) map[string]string {
	const token = "JUSTONEAPI_TOKEN"
	env := map[string]string{token: cmp.Or(s.Token, Placeholder)}
	if s.Passed || given[token+"_FILE"] != "" || given["JUSTONEAPI_ENV"] == string(schema.EnvironmentSample) {
		delete(env, token)
	}
	for name, value := range given {
		if name != token {
			env[name] = value
		}
	}
	return env
}

// block fills the template. It is empty where there is none.
func (s *Setup) block(f filling) Block {
	if s == nil {
		return Block{}
	}
	f.env = s.environment(f.env)
	switch {
	case s.JSON != nil:
		var text bytes.Buffer
		_ = json.Indent(&text, f.json(s.JSON), "", "  ") // a test has filled every template
		return Block{"json", text.String() + "\n"}
	case s.TOML != nil:
		return f.lines("toml", s.TOML)
	case s.YAML != nil:
		return f.lines("yaml", s.YAML)
	case s.Command != nil:
		return f.lines("command", s.Command)
	}
	return Block{}
}

// json fills a template that is JSON, and keeps the order of its keys.
func (f filling) json(template json.RawMessage) []byte {
	filled := strings.NewReplacer(`"{command}"`, quote(f.command), `"{env}"`, quote(f.env), `"{url}"`, quote(f.url)).Replace(string(template))
	var compact bytes.Buffer
	_ = json.Compact(&compact, []byte(filled))
	return compact.Bytes()
}

// lines fills a template that is lines. JSON's strings are also TOML's and YAML's.
func (f filling) lines(format string, template []string) Block {
	command, env, address := quote(f.command), quote(f.env), quote(f.url)
	switch format {
	case "toml":
		env = f.pairs(func(name, value string) string { return name + " = " + quote(value) }, ", ")
		env = strings.ReplaceAll("{ "+env+" }", "{  }", "{}")
	case "command":
		command, address = word(f.command), word(f.url)
		env = f.pairs(func(name, value string) string { return "-e " + word(name+"="+value) }, " ")
	}
	text := strings.NewReplacer("{command}", command, "{env}", env, "{url}", address).Replace(strings.Join(template, "\n"))
	return Block{format, text + "\n"}
}

// pairs writes the variables by name.
func (f filling) pairs(write func(name, value string) string, separator string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(f.env)) {
		all = append(all, write(name, f.env[name]))
	}
	return strings.Join(all, separator)
}

// quote returns value as JSON, with & and < as they are.
func quote(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // strings, and maps of strings, can be encoded
	return strings.TrimSuffix(text.String(), "\n")
}

// word quotes text for a shell, as POSIX shells and PowerShell understand it.
func word(text string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// links fills the templates of links. A hole is {url}, or a part of the filled JSON:
// {config} is all of it, {server} the server's own object, {inputs} what the client
// asks for, and {named} the server with its name and inputs. A hole that ends in
// :base64 is encoded so. Everything is then escaped as a query's value is.
func (s *Setup) links(f filling) []Link {
	if s == nil {
		return nil
	}
	f.env = s.environment(f.env)
	parts := map[string]string{"url": f.url}
	if s.JSON != nil {
		config := f.json(s.JSON)
		parts["config"] = string(config)
		var sections map[string]json.RawMessage
		_ = json.Unmarshal(config, &sections)
		for name, section := range sections {
			var servers map[string]json.RawMessage
			if name == "inputs" {
				parts["inputs"] = string(section)
			} else if json.Unmarshal(section, &servers) == nil && servers[Name] != nil {
				parts["server"] = string(servers[Name])
			}
		}
		parts["named"] = `{"name":` + quote(Name) + "," + strings.TrimPrefix(parts["server"], "{")
		if parts["inputs"] != "" {
			parts["named"] = strings.TrimSuffix(parts["named"], "}") + `,"inputs":` + parts["inputs"] + "}"
		}
	}
	hole := regexp.MustCompile(`\{\w+(:base64)?\}`)
	var links []Link
	for _, link := range s.Links {
		filled := hole.ReplaceAllStringFunc(link.URL, func(found string) string {
			name, encoded := strings.CutSuffix(strings.Trim(found, "{}"), ":base64")
			value := parts[name]
			if encoded {
				value = base64.StdEncoding.EncodeToString([]byte(value))
			}
			return strings.ReplaceAll(url.QueryEscape(value), "+", "%20") // a space, also to those who know no form
		})
		links = append(links, Link{link.Name, filled})
	}
	return links
}
