// Package deploy_test holds what is in this folder, and docs/operations.md, against the
// server. deploy/check, a module of its own, reads the same files with the parsers of
// Kubernetes, Compose and Prometheus.
package deploy_test

import (
	"context"
	"flag"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/telemetry"
)

var update = flag.Bool("update", false, "write check/testdata/metrics.txt anew")

const manual = "../docs/operations.md"

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

// files returns the files that an operator reads or starts, without the tests.
func files(t *testing.T) []string {
	t.Helper()
	found := []string{manual, "../Dockerfile"}
	for _, pattern := range []string{"*", "kubernetes/*"} {
		matches, err := filepath.Glob(pattern)
		require.NoError(t, err)
		found = append(found, slices.DeleteFunc(matches, func(name string) bool {
			info, err := os.Stat(name)
			return err != nil || info.IsDir() || strings.HasSuffix(name, ".go")
		})...)
	}
	return found
}

// families returns the metrics that the server writes, each with its type and labels.
func families(t *testing.T) map[string]string {
	t.Helper()
	m := telemetry.NewMetrics(telemetry.Build{Version: "1", Commit: "c"})
	m.HTTPRequest("POST", "/mcp", 200, 1)
	m.Operation(telemetry.Operation{Method: "tools/call"}, 1)
	m.Call("get_kol_fans_portrait", "ok", "store")
	m.Attempt("0", 1)
	one := func() int { return 1 }
	m.Watch(telemetry.Gauges{Calls: one, Streams: one, Flights: one, Budget: one, BudgetLeft: func(context.Context) (int, bool) { return 1, true }})
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	text := recorder.Body.String()

	found := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`).FindAllStringSubmatch(text, -1) {
		name := match[1]
		labels := map[string]bool{}
		for _, sample := range regexp.MustCompile(`(?m)^`+name+`(?:_bucket)?\{(.*)\} \S+$`).FindAllStringSubmatch(text, -1) {
			for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(sample[1], -1) {
				labels[label[1]] = true
			}
		}
		delete(labels, "le") // Prometheus' own, of a histogram's buckets
		found[name] = strings.Join(append([]string{match[2]}, slices.Sorted(maps.Keys(labels))...), " ")
	}
	require.NotEmpty(t, found)
	return found
}

// family takes what Prometheus adds to a histogram's name off.
func family(series string, known map[string]string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if name, ok := strings.CutSuffix(series, suffix); ok && strings.HasPrefix(known[name], "histogram") {
			return name
		}
	}
	return series
}

func TestMetricsThatAreNamedExist(t *testing.T) {
	known := families(t)
	metric := regexp.MustCompile(`\b(?:kol_portrait|mcp_server|http_server)_[a-z_]+\b`)
	if runtime.GOOS == "linux" { // where the server's image runs; elsewhere the process tells less
		metric = regexp.MustCompile(`\b(?:kol_portrait|mcp_server|http_server|process|go)_[a-z_]+\b`)
	}
	named := map[string]bool{}
	for _, file := range files(t) {
		for _, name := range metric.FindAllString(read(t, file), -1) {
			named[family(name, known)] = true
			assert.Contains(t, known, family(name, known), file)
		}
	}
	for name := range known {
		if strings.HasPrefix(name, "kol_portrait_") {
			assert.True(t, named[name], "%s is on no dashboard, in no alert, and nobody is told of it", name)
		}
	}
}

// The list of metrics and labels that deploy/check compares every query with.
func TestListOfMetrics(t *testing.T) {
	known := families(t)
	var list strings.Builder
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") { // which have no labels
			list.WriteString(name + " " + known[name] + "\n")
		}
	}
	const golden = "check/testdata/metrics.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(list.String()), 0o600))
	}
	assert.Equal(t, read(t, golden), list.String(), "go test ./deploy -update writes it anew")
}

func TestVariablesThatAreNamedExist(t *testing.T) {
	known := map[string]bool{}
	for _, v := range config.Variables() {
		known[v.Name] = true
	}
	variable := regexp.MustCompile(`\b(?:JUSTONEAPI|PORTRAIT|MCP|LOG)_[A-Z][A-Z_]*\b`)
	for _, file := range files(t) {
		for _, name := range variable.FindAllString(read(t, file), -1) {
			assert.True(t, known[name], "%s names %s", file, name)
		}
	}
}

// The server starts with the settings of compose.yaml and of the ConfigMap.
func TestSettingsAreTaken(t *testing.T) {
	setting := regexp.MustCompile(`(?m)^ +([A-Z][A-Z_]+): (.+?)(?: #.*)?$`)
	fallback := regexp.MustCompile(`\$\{\w+:-(.*?)\}`)
	for _, file := range []string{"compose.yaml", "kubernetes/server.yaml"} {
		values := map[string]string{}
		for _, match := range setting.FindAllStringSubmatch(read(t, file), -1) {
			name, value := match[1], fallback.ReplaceAllString(strings.Trim(match[2], `"`), "$1")
			if name == "DOMAIN" || name == "COMMIT" { // of the proxy, and of the image
				continue
			}
			require.True(t, slices.ContainsFunc(config.Variables(), func(v config.Variable) bool { return v.Name == name }), "%s sets %s", file, name)
			if strings.HasSuffix(name, "_FILE") {
				value = filepath.Join(t.TempDir(), name)
				require.NoError(t, os.WriteFile(value, []byte("alice-0123456789abcdef"), 0o600))
			}
			values[name] = value
		}
		c, err := config.Load(t.Context(), envconfig.MapLookuper(values))
		require.NoError(t, err, file)
		assert.Equal(t, config.TransportHTTP, c.Transport, file)
		assert.True(t, c.Token.IsSet(), file)
		assert.Equal(t, config.StoreRedis, c.Store.Kind, file)
	}
}

func TestAlertsAreExplained(t *testing.T) {
	names := func(text, pattern string) []string {
		var found []string
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			found = append(found, match[1])
		}
		slices.Sort(found)
		return slices.Compact(found)
	}
	alerts := names(read(t, "alerts.yaml"), `alert: (\w+)`)
	require.NotEmpty(t, alerts)
	assert.Equal(t, alerts, names(read(t, manual), `\b(KolPortrait\w+)`))
}
