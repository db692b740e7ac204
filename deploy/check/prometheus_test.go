package check

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const alertsFile = "../alerts.yaml"

// rulesByName returns the alerts and the recorded series. Their expressions, durations
// and templates have been checked as Prometheus checks them when it starts.
func rulesByName(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(alertsFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	require.Empty(t, errs)
	found := map[string]rulefmt.Rule{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			found[rule.Alert+rule.Record] = rule // of which it has one
		}
	}
	require.NotEmpty(t, found)
	return found
}

// queries returns the dashboard's expressions by the title of their panel, with Grafana's
// own variables filled in.
func queries(t *testing.T) map[string][]string {
	t.Helper()
	content, err := os.ReadFile("../dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr, RefID string }
		}
	}
	require.NoError(t, json.Unmarshal(content, &dashboard))
	found, cells := map[string][]string{}, map[[2]int]string{}
	for _, panel := range dashboard.Panels {
		for x := range panel.GridPos.W {
			for y := range panel.GridPos.H {
				cell := [2]int{panel.GridPos.X + x, panel.GridPos.Y + y}
				assert.Empty(t, cells[cell], "%s lies over another panel", panel.Title)
				assert.Less(t, cell[0], 24, panel.Title)
				cells[cell] = panel.Title
			}
		}
		assert.NotContains(t, found, panel.Title, "two panels have the same title")
		for _, target := range panel.Targets {
			found[panel.Title] = append(found[panel.Title], strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
		}
		assert.Equal(t, panel.Type == "row", len(panel.Targets) == 0, panel.Title)
	}
	require.NotEmpty(t, found)
	return found
}

func TestPrometheusConfiguration(t *testing.T) {
	c, err := config.LoadFile("../prometheus.yml", false, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	assert.Equal(t, []string{alertsFile}, c.RuleFiles)
	require.Len(t, c.ScrapeConfigs, 1)
	assert.Equal(t, "kol-portrait-mcp", c.ScrapeConfigs[0].JobName, "the alerts look for this job")
}

// Every query asks for metrics that the server writes, by labels that they have.
// ../deploy_test.go keeps the list of them true.
func TestQueries(t *testing.T) {
	expressions := queries(t)
	known := map[string][]string{"up": nil}
	for name, rule := range rulesByName(t) {
		expressions[name] = []string{rule.Expr}
		if rule.Record != "" {
			expression, err := parser.NewParser(parser.Options{}).ParseExpr(rule.Expr)
			require.NoError(t, err, name)
			known[name] = expression.(*parser.AggregateExpr).Grouping
		}
	}
	content, err := os.ReadFile("testdata/metrics.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		names := []string{fields[0]}
		if fields[1] == "histogram" {
			names = []string{fields[0] + "_bucket", fields[0] + "_sum", fields[0] + "_count"}
		}
		for _, name := range names {
			known[name] = fields[2:]
		}
	}
	for title, all := range expressions {
		for _, text := range all {
			expression, err := parser.NewParser(parser.Options{}).ParseExpr(text)
			require.NoError(t, err, title)
			for _, selector := range selectors(expression) {
				if !strings.HasPrefix(selector.Name, "process_") && !strings.HasPrefix(selector.Name, "go_") {
					assert.Contains(t, known, selector.Name, "%s: %s", title, text)
				}
				own := append([]string{model.MetricNameLabel, "job", "instance"}, known[selector.Name]...)
				for _, matcher := range selector.LabelMatchers {
					assert.Contains(t, own, matcher.Name, "%s: %s has no such label", title, selector.Name)
				}
			}
			parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
				if sum, ok := node.(*parser.AggregateExpr); ok {
					for _, selector := range selectors(sum.Expr) {
						own := append([]string{"le", "job", "instance"}, known[selector.Name]...)
						assert.Subset(t, own, sum.Grouping, "%s: %s has no such label", title, selector.Name)
					}
				}
				return nil
			})
		}
	}
}

// selectors returns what an expression asks for.
func selectors(expression parser.Expr) []*parser.VectorSelector {
	var found []*parser.VectorSelector
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			found = append(found, selector)
		}
		return nil
	})
	return found
}

// Each alert fires where it should, and keeps quiet beside it. Series are written as
// promtool writes them: 0+5x60 begins at 0 and grows by 5, sixty times; _ is no sample.
func TestAlertsFire(t *testing.T) {
	const (
		a, b     = `up{job="kol-portrait-mcp", instance="a"} `, `up{job="kol-portrait-mcp", instance="b"} `
		failures = `kol_portrait_store_errors_total{operation="Newest"} `
		attempts = `kol_portrait_upstream_attempts_total`
		calls    = `kol_portrait_calls_total{tool="get_kol_fans_portrait", `
		left     = `kol_portrait_budget_remaining `
	)
	// slow is a histogram of which every request took between 30 and 60 seconds.
	const slow = `kol_portrait_upstream_attempt_duration_seconds_bucket{le="30"} 0x60
		kol_portrait_upstream_attempt_duration_seconds_bucket{le="60"} 0+2x60
		kol_portrait_upstream_attempt_duration_seconds_bucket{le="+Inf"} 0+2x60
		kol_portrait_upstream_attempt_duration_seconds_count 0+2x60`
	tested := map[string]bool{}
	for name, test := range map[string]struct {
		alert, series string
		fires         bool
	}{
		"no replica is known":          {"KolPortraitDown", "", true},
		"no replica answers":           {"KolPortraitDown", a + "0x60\n" + b + "0x60", true},
		"one of two answers":           {"KolPortraitDown", a + "1x60\n" + b + "0x60", false},
		"one of two does not answer":   {"KolPortraitReplicaDown", a + "1x60\n" + b + "0x60", true},
		"a replica is upgraded":        {"KolPortraitReplicaDown", a + "1x60\n" + b + "1x58 0x2", false},
		"none of two answers":          {"KolPortraitReplicaDown", a + "0x60\n" + b + "0x60", false},
		"all answer":                   {"KolPortraitReplicaDown", a + "1x60\n" + b + "1x60", false},
		"starts every few minutes":     {"KolPortraitRestarting", `process_start_time_seconds{job="kol-portrait-mcp"} 1x30 2x5 3x5 4x5 5x5 6x9`, true},
		"an upgrade":                   {"KolPortraitRestarting", `process_start_time_seconds{job="kol-portrait-mcp"} 1x30 2x30`, false},
		"Redis is away":                {"KolPortraitStoreFails", failures + "0x52 1 2 3 4 5 6 7 8", true},
		"Redis failed once":            {"KolPortraitStoreFails", failures + "0x56 1x4", false},
		"Redis was away an hour ago":   {"KolPortraitStoreFails", failures + "0 5x60", false},
		"memory replaces a file":       {"KolPortraitStoreNotOpened", `kol_portrait_store_errors_total{operation="Open", instance="a"} 1x60`, true},
		"an open store fails":          {"KolPortraitStoreNotOpened", failures + "0+1x60", false},
		"the first refusal of a token": {"KolPortraitVendorRefuses", attempts + `{code="100"} _x54 1x6`, true},
		"the next refusal of a token":  {"KolPortraitVendorRefuses", attempts + `{code="100"} 1x53 2x7`, true},
		"a refusal just now":           {"KolPortraitVendorRefuses", attempts + `{code="100"} 1x57 2x3`, false},
		"a refusal that is long past":  {"KolPortraitVendorRefuses", attempts + `{code="601"} 1x60`, false},
		"no balance since a while":     {"KolPortraitVendorRefuses", attempts + "{code=\"0\"} 0+1x40 40x20\n" + attempts + `{code="601"} 0x40 0+1x20`, true},
		"some requests succeed":        {"KolPortraitVendorRefuses", attempts + "{code=\"0\"} 0+1x60\n" + attempts + `{code="601"} 0+5x60`, false},
		"V1 works, the successor refuses": {"KolPortraitVendorRefuses", attempts + "{code=\"0\"} 0+1x60\n" +
			attempts + "{code=\"301\"} 0+3x60\n" + attempts + `{code="600"} 0+1x60`, false},
		"V1 cannot collect one, the successor refuses": {"KolPortraitVendorRefuses", attempts + "{code=\"301\"} _x53 3x7\n" + attempts + `{code="600"} _x53 1x7`, false},
		"a KOL cannot be collected":                    {"KolPortraitVendorRefuses", attempts + `{code="301"} 0+1x60`, false},
		"the day's quota, in a page":                   {"KolPortraitVendorRefuses", attempts + `{code="303"} 0+1x60`, false},
		"the day's quota":                              {"KolPortraitVendorQuota", attempts + `{code="303"} _x55 1x5`, true},
		"yesterday's quota":                            {"KolPortraitVendorQuota", attempts + `{code="303"} 1x60`, false},
		"most requests fail":                           {"KolPortraitVendorFails", attempts + "{code=\"0\"} 0+1x60\n" + attempts + `{code="http_503"} 0+2x60`, true},
		"some requests fail":                           {"KolPortraitVendorFails", attempts + "{code=\"0\"} 0+3x60\n" + attempts + `{code="http_503"} 0+1x60`, false},
		"many KOLs are unknown":                        {"KolPortraitVendorFails", attempts + `{code="400"} 0+3x60`, false},
		"one request, and it failed":                   {"KolPortraitVendorFails", attempts + `{code="timeout"} 0x53 1x7`, false},
		"the vendor is slow":                           {"KolPortraitVendorSlow", slow, true},
		"the vendor is quick":                          {"KolPortraitVendorSlow", strings.ReplaceAll(slow, `{le="30"} 0x60`, `{le="30"} 0+2x60`), false},
		"one slow request":                             {"KolPortraitVendorSlow", strings.ReplaceAll(slow, "0+2x60", "0x48 1x12"), false},
		"19 left of 200":                               {"KolPortraitBudgetLow", left + "19x60\nkol_portrait_budget 200x60", true},
		"21 left of 200":                               {"KolPortraitBudgetLow", left + "21x60\nkol_portrait_budget 200x60", false},
		"2 left of 10":                                 {"KolPortraitBudgetLow", left + "2x60\nkol_portrait_budget 10x60", false},
		"none left, in a ticket":                       {"KolPortraitBudgetLow", left + "0x60\nkol_portrait_budget 10x60", false},
		"no budget":                                    {"KolPortraitBudgetLow", "", false},
		"none left":                                    {"KolPortraitBudgetSpent", left + "1x50 0x10", true},
		"one left":                                     {"KolPortraitBudgetSpent", left + "1x60", false},
		"a new day":                                    {"KolPortraitBudgetSpent", left + "0x50 10x10", false},
		"callers must come back":                       {"KolPortraitStillCollecting", calls + `outcome="still_collecting", source="none"} 0+1x60` + "\n" + calls + `outcome="ok", source="vendor"} 0+3x60`, true},
		"few must come back":                           {"KolPortraitStillCollecting", calls + `outcome="still_collecting", source="none"} 0+1x60` + "\n" + calls + `outcome="ok", source="vendor"} 0+9x60`, false},
		"stored answers do not count":                  {"KolPortraitStillCollecting", calls + `outcome="still_collecting", source="none"} 0+1x60` + "\n" + calls + `outcome="ok", source="vendor"} 0+3x60` + "\n" + calls + `outcome="ok", source="store"} 0+99x60`, true},
		"too many calls":                               {"KolPortraitBusy", `kol_portrait_requests_refused_total{reason="busy"} 0+1x60`, true},
		"a caller over its rate":                       {"KolPortraitBusy", `kol_portrait_requests_refused_total{reason="rate"} 0+1x60`, false},
		"somebody guesses":                             {"KolPortraitUnauthorized", `kol_portrait_requests_refused_total{reason="unauthorized"} 0+100x60`, true},
		"clients that begin with 401":                  {"KolPortraitUnauthorized", `kol_portrait_requests_refused_total{reason="unauthorized"} 0+10x60`, false},
		"the first internal fault":                     {"KolPortraitFaulty", calls + `outcome="internal", source="none"} _x55 1x5`, true},
		"one more internal fault":                      {"KolPortraitFaulty", calls + `outcome="internal", source="none"} 1x55 2x5`, true},
		"a caller's wrong argument":                    {"KolPortraitFaulty", calls + `outcome="invalid_argument", source="none"} 0+1x60`, false},
		"few descriptors are left":                     {"KolPortraitDescriptors", `process_open_fds{job="kol-portrait-mcp"} 900x60` + "\n" + `process_max_fds{job="kol-portrait-mcp"} 1000x60`, true},
		"enough descriptors":                           {"KolPortraitDescriptors", `process_open_fds{job="kol-portrait-mcp"} 90x60` + "\n" + `process_max_fds{job="kol-portrait-mcp"} 1000x60`, false},
	} {
		tested[test.alert] = true
		t.Run(test.alert+"/"+name, func(t *testing.T) {
			assert.Equal(t, test.fires, slices.Contains(firing(t, test.series), test.alert))
		})
	}
	var alerts []string
	for name, rule := range rulesByName(t) {
		if rule.Alert != "" {
			alerts = append(alerts, name)
		}
	}
	assert.ElementsMatch(t, alerts, slices.Collect(maps.Keys(tested)), "every alert is to be tried")
}

// firing returns the alerts that fire an hour after the series began, as Prometheus
// would find them, which evaluates the rules once a minute.
func firing(t *testing.T, series string) []string {
	t.Helper()
	storage := promqltest.LoadedStorage(t, "load 1m\n"+indent(series))
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 1e6)
	manager := rules.NewManager(&rules.ManagerOptions{
		Context:      t.Context(),
		AppendableV2: storage,
		Queryable:    storage,
		QueryFunc:    rules.EngineQueryFunc(engine, storage),
		NotifyFunc:   func(context.Context, string, ...*rules.Alert) {},
		Logger:       slog.New(slog.DiscardHandler),
	})
	groups, errs := manager.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, alertsFile)
	require.Empty(t, errs)
	var found []string
	for _, group := range groups {
		for minute := 40 * time.Minute; minute <= time.Hour; minute += time.Minute { // longer than any "for"
			group.Eval(t.Context(), time.Unix(0, 0).Add(minute))
		}
		for _, alert := range group.AlertingRules() {
			require.NoError(t, alert.LastError())
			if alert.State() == rules.StateFiring {
				found = append(found, alert.Name())
			}
		}
	}
	return found
}

func indent(series string) string {
	var lines strings.Builder
	for line := range strings.Lines(series) {
		lines.WriteString("  " + strings.TrimSpace(line) + "\n")
	}
	return lines.String()
}
