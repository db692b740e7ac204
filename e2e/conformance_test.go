//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scenario is what is expected of a scenario of the official conformance suite.
type scenario struct {
	name      string
	revisions string // of the protocol, as the suite lists them

	// renamed scenarios find the product's tools, resources and prompts under
	// the names of the suite's diagnostic ones; see namesOfTheSuite.
	renamed bool

	// except has the checks that do not pass, and why they need not. All others
	// do, where lacks is empty.
	except map[string]string

	// lacks is set where the scenario does not apply. It is what every check
	// that fails says is not there; reason is why it is not.
	lacks, reason string
}

// Protocol revisions as the suite lists them, and its word for what belongs to
// none.
const (
	handshakes = "2025-06-18,2025-11-25"
	everywhere = "2025-06-18,2025-11-25,2026-07-28"
	newest     = "2026-07-28"
	extension  = "extension"
)

// Why a scenario does not apply.
const (
	noSessions  = "The server keeps no sessions, which the protocol leaves to it, and which the newest revision has dropped."
	noLogging   = "The protocol's logging is deprecated; the server logs to stderr."
	onlyText    = "Tools answer with text and structured data, prompts and resources with text; there is nothing else to send."
	noQuestions = "No tool or prompt asks the client, its user or its model for anything."
	noChanges   = "Lists never change, and no resource says when it does."
	noTasks     = "The server does not offer the tasks extension; a call that outlives its client is picked up by calling again."
	noSkills    = "The server does not offer the skills extension."
	noHeaders   = "No tool wants an argument repeated in a header: nothing routes by one."
	diagnostic  = "The check needs a diagnostic tool, which is not for a product."
)

// scenarios is every server scenario that the suite has.
func scenarios() []scenario {
	return []scenario{
		// These pass.
		{name: "server-initialize", revisions: handshakes, except: map[string]string{
			"server-session-id-visible-ascii": noSessions,
		}},
		{name: "ping", revisions: handshakes},
		{name: "tools-list", revisions: everywhere},
		{name: "resources-list", revisions: everywhere},
		{name: "prompts-list", revisions: everywhere},
		{name: "completion-complete", revisions: everywhere},
		{name: "dns-rebinding-protection", revisions: "2025-11-25,2026-07-28"},
		{name: "caching", revisions: newest},
		{name: "http-header-validation", revisions: newest},
		{name: "server-sse-multiple-streams", revisions: newest, except: map[string]string{
			"server-sse-streams-functional": "It looks at tools/list, which is answered with JSON: a stream is for what takes its time.",
		}},
		{name: "sep-2164-resource-not-found", revisions: newest, except: map[string]string{
			"sep-2164-data-uri": "mcp-go 1.2.1 takes no data for this error. Its message has the URI; the protocol says SHOULD.",
		}},
		{name: "input-required-result-unsupported-methods", revisions: newest},
		{name: "server-stateless", revisions: newest, except: map[string]string{
			"sep-2575-server-rejects-undeclared-capability":              diagnostic,
			"sep-2575-missing-capability-http-400":                       diagnostic,
			"sep-2575-http-server-no-independent-requests-on-stream":     "It passes where the scenario is renamed.",
			"sep-2575-server-no-log-without-loglevel":                    "It passes where the scenario is renamed.",
			"sep-2575-server-sends-prompts-list-changed-on-subscription": noChanges,
			"sep-2575-server-sends-tools-list-changed-on-subscription":   noChanges,
		}},

		// These pass with the product's own tools, resources and prompts.
		{name: "completion-complete", revisions: everywhere, renamed: true},
		{name: "tools-call-simple-text", revisions: everywhere, renamed: true},
		{name: "tools-call-error", revisions: everywhere, renamed: true},
		{name: "tools-call-with-progress", revisions: everywhere, renamed: true},
		{name: "resources-read-text", revisions: everywhere, renamed: true},
		{name: "prompts-get-simple", revisions: everywhere, renamed: true},
		{name: "prompts-get-with-args", revisions: everywhere, renamed: true},
		{name: "input-required-result-ignore-extra-params", revisions: newest, renamed: true},
		{name: "server-stateless", revisions: newest, renamed: true, except: map[string]string{
			"sep-2575-server-rejects-undeclared-capability":              diagnostic,
			"sep-2575-missing-capability-http-400":                       diagnostic,
			"sep-2575-server-sends-prompts-list-changed-on-subscription": noChanges,
			"sep-2575-server-sends-tools-list-changed-on-subscription":   noChanges,
		}},

		// These do not apply.
		{name: "resources-templates-read", revisions: everywhere, renamed: true, lacks: "Parameter substitution not reflected in content",
			reason: "A stored portrait is read as the vendor sent it, byte for byte, which does not repeat the KOL's id."},
		{name: "json-schema-2020-12", revisions: "2025-11-25,2026-07-28", lacks: "json_schema_2020_12_tool",
			reason: "It compares a diagnostic tool's schema with what it should be; those of the product are held by testdata/tools.json."},
		{name: "server-session-lifecycle", revisions: "2025-03-26,2025-06-18,2025-11-25", lacks: "did not return an MCP-Session-Id", reason: noSessions},
		{name: "server-sse-polling", revisions: "2025-11-25", lacks: "did not provide session ID", reason: noSessions},
		{name: "server-sse-multiple-streams", revisions: "2025-11-25", lacks: "did not provide session ID", reason: noSessions},
		{name: "logging-set-level", revisions: handshakes, lacks: "logging not supported", reason: noLogging},
		{name: "tools-call-with-logging", revisions: handshakes, lacks: "logging not supported", reason: noLogging},
		{name: "tools-call-image", revisions: everywhere, lacks: "test_image_content", reason: onlyText},
		{name: "tools-call-audio", revisions: everywhere, lacks: "test_audio_content", reason: onlyText},
		{name: "tools-call-embedded-resource", revisions: everywhere, lacks: "test_embedded_resource", reason: onlyText},
		{name: "tools-call-mixed-content", revisions: everywhere, lacks: "test_multiple_content_types", reason: onlyText},
		{name: "resources-read-binary", revisions: everywhere, lacks: "test://static-binary", reason: onlyText},
		{name: "prompts-get-embedded-resource", revisions: everywhere, lacks: "test_prompt_with_embedded_resource", reason: onlyText},
		{name: "prompts-get-with-image", revisions: everywhere, lacks: "test_prompt_with_image", reason: onlyText},
		{name: "resources-subscribe", revisions: handshakes, lacks: "subscribe not supported", reason: noChanges},
		{name: "resources-unsubscribe", revisions: handshakes, lacks: "subscribe not supported", reason: noChanges},
		{name: "http-custom-header-server-validation", revisions: newest, lacks: "no tool with x-mcp-header annotations", reason: noHeaders},
		{name: "tools-call-sampling", revisions: handshakes, lacks: "test_sampling", reason: noQuestions},
		{name: "tools-call-elicitation", revisions: handshakes, lacks: "test_elicitation", reason: noQuestions},
		{name: "elicitation-sep1034-defaults", revisions: "2025-11-25", lacks: "test_elicitation_sep1034_defaults", reason: noQuestions},
		{name: "elicitation-sep1330-enums", revisions: "2025-11-25", lacks: "test_elicitation_sep1330_enums", reason: noQuestions},
		{name: "input-required-result-basic-elicitation", revisions: newest, lacks: "test_input_required_result_elicitation", reason: noQuestions},
		{name: "input-required-result-basic-sampling", revisions: newest, lacks: "test_input_required_result_sampling", reason: noQuestions},
		{name: "input-required-result-basic-list-roots", revisions: newest, lacks: "test_input_required_result_list_roots", reason: noQuestions},
		{name: "input-required-result-request-state", revisions: newest, lacks: "test_input_required_result_request_state", reason: noQuestions},
		{name: "input-required-result-multiple-input-requests", revisions: newest, lacks: "test_input_required_result_multiple_inputs", reason: noQuestions},
		{name: "input-required-result-multi-round", revisions: newest, lacks: "Expected InputRequiredResult", reason: noQuestions},
		{name: "input-required-result-missing-input-response", revisions: newest, lacks: "instead of re-requesting via InputRequiredResult", reason: noQuestions},
		{name: "input-required-result-non-tool-request", revisions: newest, lacks: "test_input_required_result_prompt", reason: noQuestions},
		{name: "input-required-result-result-type", revisions: newest, lacks: "test_input_required_result_elicitation", reason: noQuestions},
		{name: "input-required-result-tampered-state", revisions: newest, lacks: "could not get initial InputRequiredResult", reason: noQuestions},
		{name: "input-required-result-capability-check", revisions: newest, lacks: "test_input_required_result_capabilities", reason: noQuestions},
		{name: "input-required-result-validate-input", revisions: newest, lacks: "test_input_required_result_elicitation",
			reason: noQuestions + " It passes, but only because an unknown tool is an error."},
		{name: "sep-2640-skills-directory", revisions: extension, reason: noSkills},
		{name: "sep-2640-skills-enumeration", revisions: extension, reason: noSkills},
		{name: "sep-2640-skills-manifest", revisions: extension, reason: noSkills},
		{name: "tasks-lifecycle", revisions: extension, reason: noTasks},
		{name: "tasks-capability-negotiation", revisions: extension, reason: noTasks},
		{name: "tasks-wire-fields", revisions: extension, reason: noTasks},
		{name: "tasks-request-state-removal", revisions: extension, reason: noTasks},
		{name: "tasks-mrtr-input", revisions: extension, reason: noTasks},
		{name: "tasks-request-headers", revisions: extension, reason: noTasks},
		{name: "tasks-dispatch-and-envelope", revisions: extension, reason: noTasks},
		{name: "tasks-status-notifications", revisions: extension, reason: noTasks},
		{name: "tasks-required-task-error", revisions: extension, reason: noTasks},
		{name: "tasks-mrtr-composition", revisions: extension, reason: noTasks},
	}
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
	expected := map[string][]string{}
	for _, s := range scenarios() {
		for revision := range strings.SplitSeq(s.revisions, ",") {
			if !slices.Contains(expected[revision], s.name) {
				expected[revision] = append(expected[revision], s.name)
			}
		}
	}
	for revision, names := range expected {
		assert.ElementsMatch(t, listed[revision], names, revision)
	}
	assert.Len(t, listed, len(expected), "revisions that the suite knows")
	delete(listed, extension) // which the suite runs for servers that have them
	for revision, names := range listed {
		t.Run(revision, func(t *testing.T) {
			t.Parallel()
			v := startVendor(t)
			turns, e := startTurns(t, v)
			storePortrait(t, e, kol)
			_, addr := serveHTTP(t, e)
			reports := map[bool]map[string][]check{
				false: runScenarios(t, revision, "http://"+addr+"/mcp"),
				true:  runScenarios(t, revision, "http://"+renaming(t, addr, turns)+"/mcp"),
			}
			for _, name := range names {
				for _, s := range scenarios() {
					if s.name == name && slices.Contains(strings.Split(s.revisions, ","), revision) {
						s.judge(t, reports[s.renamed][name])
					}
				}
			}
			assert.Equal(t, 1, v.Requests(kol), "the scenarios' portrait is paid once")
		})
	}
}

// storePortrait fetches the KOL's portrait into the store of e.
func storePortrait(t *testing.T, e environment, kolID string) {
	t.Helper()
	s, _, stdout := spawn(t, e, "portrait", kolID)
	_, err := io.Copy(io.Discard, stdout)
	require.NoError(t, err)
	require.NoError(t, <-s.exited, s.log.String())
}

// judge holds the checks of a scenario against what is expected of them.
func (s scenario) judge(t *testing.T, checks []check) {
	t.Helper()
	if !assert.NotEmpty(t, checks, "%s has not run", s.name) {
		return
	}
	excepted := map[string]bool{}
	mentioned := false
	for _, c := range checks {
		_, except := s.except[c.ID]
		mentioned = mentioned || s.lacks != "" && strings.Contains(c.String(), s.lacks)
		switch {
		case c.Status == "SUCCESS":
		case except:
			excepted[c.ID] = true
		case s.lacks == "" || c.ID == wireSchema:
			assert.Fail(t, "does not pass", "%s, renamed: %t: %s", s.name, s.renamed, c)
		case c.Status == "FAILURE" || c.Status == "WARNING":
			assert.Contains(t, c.String(), s.lacks, "%s fails of something else", s.name)
		}
	}
	assert.Len(t, excepted, len(s.except), "%s: exceptions that are needed", s.name)
	assert.Equal(t, s.lacks != "", mentioned, "%s: whether it applies: %s", s.name, s.reason)
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
