package tools_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

// failing is a Collector that fails.
func failing(err error) tools.Collector {
	return collectorFunc(func(context.Context, string, bool) (*schema.Collected, error) { return nil, err })
}

func TestFailuresAreAnswersThatAModelCanActOn(t *testing.T) {
	for _, test := range []struct {
		err    schema.Error
		en, zh string
	}{
		{
			schema.Error{Kind: schema.RateLimited, Message: "Too fast.", Retryable: true, RetryAfterSeconds: 90, UpstreamCode: 302, RequestID: "r-1"},
			"Error rate_limited: Too fast. Call again later, with fewer calls at a time.\nRetryable: yes, after 90 s. Charged: no. Request id: r-1",
			"错误 rate_limited：数据方限流：请稍后再调用，并减少同时调用的数量。详情：Too fast.\n可重试：是，90 秒后。是否计费：否。请求 ID：r-1",
		},
		{
			schema.Error{Kind: schema.Timeout, Message: "No answer.", Retryable: true, Charged: true},
			"Error timeout: No answer. Call again in a few minutes. That may be charged too: ask the user first.\nRetryable: yes. Charged: assume yes.",
			"错误 timeout：数据方响应超时：请几分钟后再调用。重复调用可能再次计费，请先征得用户同意。详情：No answer.\n可重试：是。是否计费：按已计费处理。",
		},
		{
			schema.Error{Kind: schema.StillCollecting, Message: "Not yet.", Retryable: true, RetryAfterSeconds: 12, Charged: true},
			"Error still_collecting: Not yet. Repeat the same call in a moment: it gets this answer without another charge.\nRetryable: yes, after 12 s. Charged: at most once, for the whole collection.",
			"错误 still_collecting：仍在采集，请稍后重复同一调用：采集完成后即返回结果，不会重复计费。详情：Not yet.\n可重试：是，12 秒后。是否计费：整个采集至多一次。",
		},
		{
			schema.Error{Kind: schema.BudgetExhausted, Message: "Enough.", Retryable: true, RetryAfterSeconds: 79231},
			"Error budget_exhausted: Enough. Stored portraits are still served at no charge. Only whoever set the limit can raise it.\nRetryable: yes, after 22.0 h. Charged: no.",
			"错误 budget_exhausted：计费调用已达上限，未向数据方请求：已存画像仍可免费查看；如需调高上限，请联系设置者。详情：Enough.\n可重试：是，22.0 小时后。是否计费：否。",
		},
		{
			schema.Error{Kind: schema.NoPortrait, Message: "The vendor has none.", Charged: true},
			"Error no_portrait: The vendor has none. Check the id: it is the last part of the profile page's address. If it is right, there is no portrait to be had.\nRetryable: no. Charged: assume yes.",
			"错误 no_portrait：数据方没有该达人的画像：请核对 ID（主页地址的最后一段）；若 ID 无误，说明数据方没有该达人的画像。详情：The vendor has none.\n可重试：否。是否计费：按已计费处理。",
		},
	} {
		t.Run(string(test.err.Kind), func(t *testing.T) {
			c := connect(t, newTools(t, failing(fmt.Errorf("collect: %w", &test.err))))
			for language, want := range map[string]string{"en": test.en, "zh": test.zh} {
				a := call(t, c, tools.PortraitToolName, map[string]any{"kolId": kolID, "language": language})
				assert.Equal(t, want, a.text)
				got := a.failure(t)
				assert.Contains(t, a.text, got.Message)
				got.Message = test.err.Message
				assert.Equal(t, test.err, got, "the rest is as it was")
			}
		})
	}
}

func TestThereIsAdviceOnEveryKind(t *testing.T) {
	source, err := os.ReadFile("../schema/error.go")
	require.NoError(t, err)
	table, err := os.Open("advice.csv")
	require.NoError(t, err)
	defer func() { _ = table.Close() }()
	rows, err := csv.NewReader(table).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+19)
	assert.Equal(t, len(rows)-1, strings.Count(string(source), "Kind = \""))
	for _, row := range rows[1:] {
		assert.Contains(t, string(source), `Kind = "`+row[0]+`"`)
		assert.True(t, strings.HasSuffix(row[1], "."), row[1])
		assert.True(t, strings.HasSuffix(row[2], "。"), row[2])
		e := &schema.Error{Kind: schema.Kind(row[0]), Message: "It failed."}
		assert.Equal(t, "It failed. "+row[1], tools.FailureOf(e, schema.English).Error.Message)
		assert.Equal(t, row[2]+"详情：It failed.", tools.FailureOf(e, schema.Chinese).Error.Message)
	}
}

func TestAFaultOfTheServerStaysInTheLog(t *testing.T) {
	for name, collector := range map[string]tools.Collector{
		"an error": failing(errors.New("secret detail")),
		"a panic":  collectorFunc(func(context.Context, string, bool) (*schema.Collected, error) { panic("secret detail") }),
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			c := connect(t, tools.New(tools.Options{Collector: collector, Language: schema.English, Now: today, Logger: slog.New(slog.NewTextHandler(&log, nil))}))
			for tool, arguments := range map[string]any{
				tools.PortraitToolName:   map[string]any{"kolId": kolID},
				tools.ComparisonToolName: map[string]any{"kolIds": []any{kolID, otherID}},
			} {
				log.Reset()
				a := call(t, c, tool, arguments)
				e := a.failure(t)
				assert.Equal(t, schema.Internal, e.Kind)
				assert.True(t, e.Charged, "nobody knows")
				assert.NotContains(t, a.text+encode(t, a.structured), "secret detail")
				assert.Contains(t, log.String(), "secret detail")
			}
		})
	}
}

func TestR10WhatTheSimulatedVendorChargesIsPlayMoney(t *testing.T) {
	c := connect(t, newTools(t, nil))
	a := call(t, c, tools.PortraitToolName, map[string]any{"kolId": "sample-http-502"})
	assert.True(t, a.failure(t).Charged)
	assert.Contains(t, a.text, "The vendor is simulated: any charge is play money.")
	assert.Contains(t, a.text, "Charged: assume yes.")
	a = call(t, c, tools.PortraitToolName, map[string]any{"kolId": "sample-http-502", "language": "zh"})
	assert.Contains(t, a.text, "数据源是模拟的，计费也是模拟的。")
	a = call(t, c, tools.PortraitToolName, map[string]any{"kolId": "sample-code-601"})
	assert.False(t, a.failure(t).Charged)
	assert.NotContains(t, a.text, "play money", "where nothing is charged")
}
