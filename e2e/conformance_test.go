//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Why a scenario does not apply.
const (
	noSessions  = "The server keeps no sessions, which the protocol leaves to it, and which the newest revision has dropped."
	noLogging   = "The protocol's logging is deprecated; the server logs to stderr."
	onlyText    = "Tools answer with text and structured data, prompts and resources with text; there is nothing else to send."
	noQuestions = "No tool or prompt asks the client, its user or its model for anything."
	noChanges   = "Lists never change, and no resource says when it does."
	noHeaders   = "No tool wants an argument repeated in a header: nothing routes by one."
	diagnostic  = "It needs a diagnostic tool, resource or prompt, which is not for a product. TestClients holds the same of the product's own."
)

// extension is the suite's word for scenarios of no revision, which it runs
// for servers that offer tasks or skills. This one offers neither.
const extension = "extension"

// pass are the scenarios that pass.
var pass = []string{
	"server-initialize", "ping", "tools-list", "resources-list", "prompts-list", "completion-complete", "dns-rebinding-protection", "caching",
	"http-header-validation", "server-sse-multiple-streams", "sep-2164-resource-not-found", "input-required-result-unsupported-methods", "server-stateless",
	"input-required-result-validate-input",
}

// except are the checks of those that do not pass, and why they need not.
var except = map[string]string{
	"server-session-id-visible-ascii":                            noSessions,
	"server-sse-streams-functional":                              "It looks at tools/list, which is answered with JSON: a stream is for what takes its time.",
	"sep-2164-data-uri":                                          "mcp-go 1.2.1 takes no data for this error. Its message has the URI; the protocol says SHOULD.",
	"sep-2575-server-rejects-undeclared-capability":              diagnostic,
	"sep-2575-missing-capability-http-400":                       diagnostic,
	"sep-2575-http-server-no-independent-requests-on-stream":     diagnostic,
	"sep-2575-server-no-log-without-loglevel":                    diagnostic,
	"sep-2575-server-sends-prompts-list-changed-on-subscription": noChanges,
	"sep-2575-server-sends-tools-list-changed-on-subscription":   noChanges,
}

// doNotApply are the others, by name, or by name and revision: in each of them
// something must fail.
var doNotApply = map[string][]string{
	diagnostic: {
		"tools-call-simple-text", "tools-call-error", "tools-call-with-progress", "resources-read-text", "prompts-get-simple", "prompts-get-with-args",
		"input-required-result-ignore-extra-params", "resources-templates-read", "json-schema-2020-12",
	},
	noSessions: {"server-session-lifecycle", "server-sse-polling", "server-sse-multiple-streams 2025-11-25"},
	noLogging:  {"logging-set-level", "tools-call-with-logging"},
	noChanges:  {"resources-subscribe", "resources-unsubscribe"},
	noHeaders:  {"http-custom-header-server-validation"},
	onlyText: {
		"tools-call-image", "tools-call-audio", "tools-call-embedded-resource", "tools-call-mixed-content", "resources-read-binary",
		"prompts-get-embedded-resource", "prompts-get-with-image",
	},
	noQuestions: {
		"tools-call-sampling", "tools-call-elicitation", "elicitation-sep1034-defaults", "elicitation-sep1330-enums",
		"input-required-result-basic-elicitation", "input-required-result-basic-sampling", "input-required-result-basic-list-roots",
		"input-required-result-request-state", "input-required-result-multiple-input-requests", "input-required-result-multi-round",
		"input-required-result-missing-input-response", "input-required-result-non-tool-request", "input-required-result-result-type",
		"input-required-result-tampered-state", "input-required-result-capability-check",
	},
}

// check is what a scenario found out about one thing.
type check struct {
	ID, Status, ErrorMessage string
	Details                  json.RawMessage
}

func (c check) String() string {
	return fmt.Sprintf("%s %s: %s %s", c.Status, c.ID, c.ErrorMessage, c.Details)
}

// wireSchema is the check that all messages of a scenario were what the
// protocol's JSON Schema allows.
const wireSchema = "wire-schema-valid"

func TestConformance(t *testing.T) {
	t.Parallel()
	listed := listedScenarios(t)
	delete(listed, extension)
	assert.Len(t, listed, 4, "revisions that the suite knows")
	var excepted sync.Map
	t.Run("revisions", func(t *testing.T) {
		for revision, names := range listed {
			t.Run(revision, func(t *testing.T) {
				t.Parallel()
				v := startVendor(t)
				_, addr := serveHTTP(t, against(t, v, sqliteFile(t)))
				reports := runScenarios(t, revision, "http://"+addr+"/mcp")
				for _, name := range names {
					judge(t, name, revision, reports[name], &excepted)
				}
				assert.Zero(t, v.Charged())
			})
		}
	})
	for id := range except {
		_, needed := excepted.Load(id)
		assert.True(t, needed, "%s: the exception is not needed", id)
	}
}

// judge holds the checks of a scenario against what is expected of them.
func judge(t *testing.T, name, revision string, checks []check, excepted *sync.Map) {
	t.Helper()
	assert.NotEmpty(t, checks, "%s has not run", name)
	applies := true
	for _, others := range doNotApply {
		applies = applies && !slices.Contains(others, name) && !slices.Contains(others, name+" "+revision)
	}
	if applies {
		assert.Contains(t, pass, name, "a scenario of which nothing is expected")
	}
	failed := false
	for _, c := range checks {
		_, except := except[c.ID]
		switch {
		case c.Status == "SUCCESS":
		case except && applies:
			excepted.Store(c.ID, true)
		case applies || c.ID == wireSchema:
			assert.Fail(t, "does not pass", "%s: %s", name, c)
		default:
			failed = true // or skipped
		}
	}
	assert.Equal(t, applies, !failed, "%s: whether it applies: %v", name, checks)
}

// listedScenarios asks the suite for its server scenarios, by revision.
func listedScenarios(t *testing.T) map[string][]string {
	t.Helper()
	list := runNPM(t, "conformance", "list", "--server")
	require.Zero(t, list.exit, list.stderr)
	listed := map[string][]string{}
	for _, line := range regexp.MustCompile(`(?m)^  - (\S+) \[(\S+)\]$`).FindAllStringSubmatch(list.stdout, -1) {
		for revision := range strings.SplitSeq(line[2], ",") {
			listed[revision] = append(listed[revision], line[1])
		}
	}
	return listed
}

// runScenarios runs the scenarios of a revision, and returns their checks.
func runScenarios(t *testing.T, revision, url string) map[string][]check {
	t.Helper()
	folder := t.TempDir()
	run := runNPM(t, "conformance", "server", "--url", url, "--suite", "all", "--spec-version", revision, "--output-dir", folder)
	// A file for each, in a folder that is named after the scenario and the time.
	files, err := filepath.Glob(filepath.Join(folder, "server-*-20*Z", "checks.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files, run)
	checks := map[string][]check{}
	started := regexp.MustCompile(`^server-(.+)-\d{4}-\d\d-\d\dT[-\d]+Z$`)
	for _, file := range files {
		name := started.FindStringSubmatch(filepath.Base(filepath.Dir(file)))
		require.NotNil(t, name, file)
		report, err := os.ReadFile(file)
		require.NoError(t, err)
		var found []check
		require.NoError(t, json.Unmarshal(report, &found), file)
		checks[name[1]] = found
	}
	return checks
}
