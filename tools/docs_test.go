package tools_test

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/skills"
	"kol-portrait-mcp/tools"
)

// TestToolsPageIsMadeFromTheDefinitions holds the made parts of docs/tools.md, those
// between comments, against what clients are told.
func TestToolsPageIsMadeFromTheDefinitions(t *testing.T) {
	_, list := listTools(t)
	parts := map[string]string{"errors": errorTable(t)}
	elsewhere := func(of *jsonschema.Schema, name, where string) { // what is inside is told there
		p, _ := of.Properties.Get(name)
		p.Properties, p.Description = nil, where
	}
	const fields = "| field | | meaning |\n| --- | --- | --- |\n"
	for i, name := range []string{"comparison fields", "portrait fields"} {
		var input, output jsonschema.Schema
		require.NoError(t, json.Unmarshal(list[i].InputSchema, &input))
		require.NoError(t, json.Unmarshal(list[i].OutputSchema, &output))
		if i == 0 {
			elsewhere(&input, "targetAudience", "As above; ranks the KOLs")
			elsewhere(&output, "target", "As `fit.target` of a portrait")
			failures, _ := output.Properties.Get("failures")
			elsewhere(failures.Items, "error", "See [Errors](#errors)")
		}
		failure, _ := output.Properties.Delete("error")
		parts["error fields"] = fields + fieldRows(failure, "", "always")
		output.Required = output.AnyOf[0].Required
		parts[list[i].Name] = list[i].Description + "\n\n| argument | | meaning |\n| --- | --- | --- |\n" + fieldRows(&input, "", "required")
		parts[name] = fields + fieldRows(&output, "", "always")
	}
	type resource struct{ URI, URITemplate, Description string }
	var resources struct{ Resources, ResourceTemplates []resource }
	require.NoError(t, json.Unmarshal(result(t, newTools(t, nil), "resources/list", ""), &resources))
	require.NoError(t, json.Unmarshal(result(t, newTools(t, nil), "resources/templates/list", ""), &resources))
	parts["resources"] = "| address | holds |\n| --- | --- |\n"
	for _, r := range append(resources.Resources, resources.ResourceTemplates...) {
		parts["resources"] += row("`"+r.URI+r.URITemplate+"`", r.Description)
	}
	prompts, err := connect(t, newTools(t, nil)).ListPrompts(t.Context(), mcp.ListPromptsRequest{})
	require.NoError(t, err)
	parts["prompts"] = "| prompt | takes | does |\n| --- | --- | --- |\n"
	for _, p := range prompts.Prompts {
		var arguments []string
		for _, a := range p.Arguments {
			arguments = append(arguments, "`"+a.Name+"`: "+a.Description)
		}
		parts["prompts"] += row("`"+p.Name+"`", strings.Join(arguments, "<br>"), p.Description)
	}
	lines := strings.SplitAfter(contents(t, "../testdata/texts/documented.en.txt"), "\n")
	short := slices.Concat(lines[:3], lines[4:6], []string{"…\n"}, lines[len(lines)-2:])
	parts["text"] = "```text\n" + strings.Join(short, "") + "```"
	parts["comparison"] = "```text\n" + contents(t, "../testdata/texts/comparison.shortlist.en.txt") + "```"
	parts["json"] = "```json\n" + shortAnswer(t) + "```"

	made := regexp.MustCompile(`(?s)<!-- made: ([^>]*) -->\n.*?<!-- end -->`)
	got := made.ReplaceAllStringFunc(contents(t, "../docs/tools.md"), func(old string) string {
		name := made.FindStringSubmatch(old)[1]
		require.Contains(t, parts, name)
		defer delete(parts, name)
		return "<!-- made: " + name + " -->\n" + strings.TrimRight(parts[name], "\n") + "\n<!-- end -->"
	})
	assert.Empty(t, parts, "parts without a place on the page")
	golden(t, "../docs/tools.md", []byte(got))
}

func contents(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// row returns a row of a table.
func row(cells ...string) string {
	line := strings.Join(cells, " | ")
	return "| " + strings.ReplaceAll(strings.ReplaceAll(line, "\n", " "), "<18", "&lt;18") + " |\n"
}

// fieldRows describes the properties of an object below a path; mark is what is said of
// those that are required. Neighbours that are built alike share a row, as long as all
// or none are required.
func fieldRows(of *jsonschema.Schema, path, mark string) string {
	var rows strings.Builder
	for p := cmp.Or(of.Properties, jsonschema.NewProperties()).Oldest(); p != nil; p = p.Next() {
		names, meanings := "`"+path+p.Key+"`", p.Value.Description
		first := p
		required := slices.Contains(of.Required, p.Key)
		for next := p.Next(); next != nil && alike(p.Value, next.Value) && required == slices.Contains(of.Required, next.Key); next = p.Next() {
			p, names = next, names+", `"+next.Key+"`"
			if next.Value.Description != "" {
				meanings += "<br>`" + next.Key + "`: " + next.Value.Description
			}
		}
		kind := kindOf(p.Value)
		if required {
			kind += ", " + mark
		}
		rows.WriteString(row(names, kind, strings.TrimPrefix(meanings, "<br>")))
		rows.WriteString(fieldRows(inside(p.Value), path+first.Key+".", mark))
	}
	return rows.String()
}

// inside returns the schema of a list's items, and any other as it is.
func inside(s *jsonschema.Schema) *jsonschema.Schema { return cmp.Or(s.Items, s) }

// alike reports whether a row can tell of both: objects built alike, whatever they
// mean, or two of a simple type that nothing is said of.
func alike(a, b *jsonschema.Schema) bool {
	silent := a.Description+b.Description == "" || inside(a).Properties != nil
	return silent && kindOf(a) == kindOf(b) && fieldRows(inside(a), "", "") == fieldRows(inside(b), "", "")
}

// kindOf says in words what a value is.
func kindOf(s *jsonschema.Schema) string {
	switch {
	case s.Enum != nil:
		return "`" + strings.ReplaceAll(strings.Trim(fmt.Sprint(s.Enum), "[]"), " ", "` `") + "`"
	case s.Items != nil && s.MaxItems != nil:
		return fmt.Sprintf("%d to %d of: %s", *s.MinItems, *s.MaxItems, kindOf(s.Items))
	case s.Items != nil:
		return "list of: " + kindOf(s.Items)
	case s.AnyOf != nil:
		return kindOf(s.AnyOf[0]) + " or null"
	}
	return s.Type
}

// shortAnswer is the structured half of the worked example, with a few of its fields.
func shortAnswer(t *testing.T) string {
	t.Helper()
	a := call(t, connect(t, newTools(t, nil)), tools.PortraitToolName, map[string]any{"kolId": kolID, "detail": "summary", "targetAudience": map[string]any{
		"gender": "female", "ageGroups": []string{"25-44"}, "provinces": []string{"Guangdong", "Zhejiang"},
	}}).structured
	keep := func(of string, fields ...string) {
		for field := range a[of].(map[string]any) {
			if !slices.Contains(fields, field) {
				delete(a[of].(map[string]any), field)
			}
		}
	}
	keep("summary", "headline", "gender", "age", "tier1CityShare")
	keep("fit", "score", "places", "targetShare")
	keep("source", "environment", "fromStore", "charged", "sample")
	raw, err := json.Marshal(a)
	require.NoError(t, err)
	return string(indented(t, raw))
}

// retryable tells of each kind of failure whether the same call may succeed later.
var retryable = map[schema.Kind]string{
	schema.InvalidArgument: "no", schema.MissingToken: "no", schema.InvalidToken: "no", schema.PermissionDenied: "no", schema.InsufficientBalance: "no",
	schema.DailyQuotaExceeded: "yes", schema.BudgetExhausted: "yes", schema.RateLimited: "yes", schema.CollectionFailed: "yes", schema.NoPortrait: "no",
	schema.UpstreamRejected: "no", schema.UpstreamError: "it depends", schema.EndpointRemoved: "no", schema.BadResponse: "no", schema.Timeout: "yes",
	schema.Network: "yes", schema.StillCollecting: "yes", schema.StoreUnavailable: "yes", schema.Internal: "it depends",
}

// errorTable is made of the comments of the kinds, of retryable, which is held against
// the simulated vendor's failures, and of the table of advice.
func errorTable(t *testing.T) string {
	t.Helper()
	c := connect(t, newTools(t, nil))
	for _, answer := range strings.Fields("code-100 code-300 code-301 code-302 code-303 code-400 code-500 code-503 code-600 code-601 http-401 http-403 http-429 http-500 http-502 http-504 not-json") {
		e := call(t, c, tools.PortraitToolName, map[string]any{"kolId": "sample-" + answer}).failure(t)
		assert.Contains(t, []string{map[bool]string{true: "yes", false: "no"}[e.Retryable], "it depends"}, retryable[e.Kind], answer)
	}
	means := map[string]string{}
	for _, m := range regexp.MustCompile(`Kind = "(\w+)" *// (.+)`).FindAllStringSubmatch(contents(t, "../schema/error.go"), -1) {
		means[m[1]] = m[2]
	}
	advice, err := csv.NewReader(strings.NewReader(contents(t, "advice.csv"))).ReadAll()
	require.NoError(t, err)
	table := "| kind | means | retryable | what to do |\n| --- | --- | --- | --- |\n"
	for _, a := range advice[1:] {
		require.Contains(t, retryable, schema.Kind(a[0]))
		table += row("`"+a[0]+"`", means[a[0]], retryable[schema.Kind(a[0])], a[1])
	}
	return table
}

// TestMethodsPagesAreTheGuides makes docs/methods.md and docs/methods.zh.md of the
// guides, as clients read them.
func TestMethodsPagesAreTheGuides(t *testing.T) {
	for language, page := range map[schema.Language][2]string{
		schema.English: {"methods.md", "[中文](methods.zh.md)\n\n<!-- Made from tools/guide.en.md, which clients read as " + tools.GuideURI + ", by: go test ./tools -update -->"},
		schema.Chinese: {"methods.zh.md", "[English](methods.md)\n\n<!-- 由 tools/guide.zh.md 生成（客户端以 " + tools.GuideURI + " 读取）：go test ./tools -update -->"},
	} {
		title, rest, _ := strings.Cut(guide(t, language), "\n\n")
		golden(t, "../docs/"+page[0], []byte(title+"\n\n"+page[1]+"\n\n"+rest+"\n"))
	}
}

// TestSkill reads the skill as a client does, makes the call of its worked example, and
// looks up every name that it uses.
func TestSkill(t *testing.T) {
	c := connect(t, newTools(t, nil))
	got, err := read(t.Context(), c, tools.SkillURI)
	require.NoError(t, err)
	assert.Equal(t, "text/markdown", got.MIMEType)
	skill := skills.AudienceFit()
	assert.Equal(t, skill, got.Text)
	front := regexp.MustCompile(`^---\nname: kol-audience-fit\ndescription: (.+)\n---\n`).FindStringSubmatch(skill)
	require.NotNil(t, front)
	assert.LessOrEqual(t, len(front[1]), 1024, "Agent Skills take no longer one")
	assert.NotContains(t, front[1], ": ", "it would be no plain YAML")
	assert.Less(t, strings.Count(skill, "\n"), 150)

	_, example, _ := strings.Cut(skill, "### A worked example")
	example, _, _ = strings.Cut(example, "\n## ")
	block := func(language string) string {
		return regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(example)[1]
	}
	var arguments map[string]any
	require.NoError(t, json.Unmarshal([]byte(block("json")), &arguments))
	answer := call(t, c, tools.ComparisonToolName, arguments)
	require.False(t, answer.IsError, answer.text)
	for line := range strings.Lines(block("text")) {
		assert.Contains(t, answer.text, line)
	}
	_, told, _ := strings.Cut(example, "What you tell the user:")
	for _, figure := range regexp.MustCompile(`\d+\.\d+`).FindAllString(told, -1) {
		assert.Contains(t, answer.text, figure)
	}

	known := map[string]bool{"tier1": true, "new-tier1": true, "usage": true, "false": true, "summary": true, "name": true, "followers": true, "price": true}
	for _, v := range config.Variables() {
		known[v.Name] = true
	}
	for kind := range retryable {
		known[string(kind)] = true
	}
	raw, list := listTools(t)
	known[list[0].Name], known[list[1].Name] = true, true
	usage, err := json.Marshal(schema.Usage{Remaining: new(1)})
	require.NoError(t, err)
	for _, name := range regexp.MustCompile(`"(\w+)":`).FindAllStringSubmatch(string(raw)+string(usage), -1) {
		known[name[1]] = true
	}
	for _, name := range regexp.MustCompile("`([A-Za-z][\\w-]*)`|\"(\\w+)\":|`fit\\.(\\w+)`").FindAllStringSubmatch(skill, -1) {
		assert.True(t, known[cmp.Or(name[1:]...)], name[0])
	}
	for _, uri := range regexp.MustCompile(`kol-portrait://\w+`).FindAllString(skill, -1) {
		assert.Contains(t, []string{tools.UsageURI, tools.GuideURI}, uri)
	}
}
