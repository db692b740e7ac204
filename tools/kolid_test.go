package tools_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

// vendorsOwn are Tools of a server that asks the vendor's own address.
func vendorsOwn(language schema.Language) *tools.Tools {
	return tools.New(tools.Options{Collector: shelf{}, Language: language, Now: today, Logger: slog.New(slog.DiscardHandler)})
}

func TestC4AddressesThatHaveAnID(t *testing.T) {
	for name, text := range map[string]string{
		"the id":                          kolID,
		"M10: in capitals":                strings.ToUpper(kolID),
		"blanks and quotes around":        " \"" + kolID + "\"\n",
		"a profile page":                  "https://www.xiaohongshu.com/user/profile/" + kolID,
		"with a query":                    "https://www.xiaohongshu.com/user/profile/" + kolID + "?xsec_token=AB&xsec_source=pc_search",
		"with a note behind it":           "https://www.xiaohongshu.com/user/profile/" + kolID + "/66f1b2c3000000001e01f0a1?x=y",
		"in capitals there":               "HTTPS://WWW.XIAOHONGSHU.COM/user/profile/" + strings.ToUpper(kolID),
		"rednote":                         "https://www.rednote.com/user/profile/" + kolID,
		"the marketplace":                 "https://pgy.xiaohongshu.com/solar/blogger-detail/" + kolID + "?track_id=x",
		"the marketplace, older":          "https://pgy.xiaohongshu.com/solar/pre-trade/blogger-detail/" + kolID,
		"a page that redirects":           "https://www.xiaohongshu.com/login?redirectPath=https%3A%2F%2Fwww.xiaohongshu.com%2Fuser%2Fprofile%2F" + kolID + "%3Fa%3Db",
		"encoded twice":                   "https://www.xiaohongshu.com/login?redirectPath=https%253A%252F%252Fwww.xiaohongshu.com%252Fuser%252Fprofile%252F" + kolID,
		"a page that redirects to a path": "https://www.xiaohongshu.com/login?redirectPath=%2Fuser%2Fprofile%2F" + kolID,
		"without a scheme":                "xiaohongshu.com/user/profile/" + kolID,
		"without one, but slashes":        "//www.xiaohongshu.com/user/profile/" + kolID,
		"inside text":                     "她的主页：https://www.xiaohongshu.com/user/profile/" + kolID + "，很棒",
		"a Markdown link":                 "[name](https://www.xiaohongshu.com/user/profile/" + kolID + ")",
		"the same twice":                  "[https://www.xiaohongshu.com/user/profile/" + kolID + "](https://www.xiaohongshu.com/user/profile/" + kolID + ")",
	} {
		t.Run(name, func(t *testing.T) {
			for _, built := range []*tools.Tools{vendorsOwn(schema.English), speaking(schema.Chinese)} {
				id, err := built.KOLID(text)
				require.NoError(t, err)
				assert.Equal(t, kolID, id)
			}
		})
	}
}

func TestC5WhatIsNoIDIsAnsweredWithHowToGetIt(t *testing.T) {
	const en = `The id is the last part of the profile page's address: https://www.xiaohongshu.com/user/profile/5d21ab6b000000001201567d.`
	const zh = `用户 ID 是主页地址的最后一段：https://www.xiaohongshu.com/user/profile/5d21ab6b000000001201567d 。`
	for _, test := range []struct{ name, text, en, zh string }{
		{"nothing", " ", "kolId is missing", "kolId 缺失"},
		{"a dash", "-", "is a name or a Xiaohongshu number (小红书号), not a user id", "是昵称或小红书号，不是用户 ID"},
		{"a Xiaohongshu number", "94512345678", "is a name or a Xiaohongshu number", "是昵称或小红书号"},
		{"one of letters", "lilywang", "is a name or a Xiaohongshu number", "是昵称或小红书号"},
		{"a display name", "程十安an", "is a name or a Xiaohongshu number", "是昵称或小红书号"},
		{"22 hex digits", kolID[:22], "not a user id, which is 24 of 0-9 and a-f", "不是用户 ID（24 位 0-9、a-f）"},
		{"a note", "https://www.xiaohongshu.com/explore/66f1b2c3000000001e01f0a1", "is the address of a note, not of its author", "是笔记链接"},
		{"a note, shared", "看看 https://www.xiaohongshu.com/discovery/item/66f1b2c3000000001e01f0a1?a=b", "is the address of a note", "是笔记链接"},
		{"a short link", "https://xhslink.com/m/AbC", "is a short link, which only Xiaohongshu can follow", "是短链接"},
		{"a short link, shared", "30 小红书 http://xhslink.com/a/B，复制", "is a short link", "是短链接"},
		{"another page", "https://www.xiaohongshu.com/user/profile", "is no address of a profile page", "不是主页链接"},
		{"another site", "https://example.com/user/profile/" + kolID, "is no address of a profile page", "不是主页链接"},
		{"a site that looks like it", "https://notxiaohongshu.com/user/profile/" + kolID, "is no address of a profile page", "不是主页链接"},
		{"an address with another id", "https://www.xiaohongshu.com/user/profile/me", "is no address of a profile page", "不是主页链接"},
		{"two KOLs", "https://www.xiaohongshu.com/user/profile/" + kolID + " https://www.xiaohongshu.com/user/profile/" + otherID, "names several KOLs", "包含多位达人"},
		{"words", "the first one of the list", "is a name or a Xiaohongshu number", "是昵称或小红书号"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for language, want := range map[schema.Language][2]string{schema.English: {test.en, en}, schema.Chinese: {test.zh, zh}} {
				_, err := vendorsOwn(language).KOLID(test.text)
				refused, ok := errors.AsType[*schema.Error](err)
				require.True(t, ok, "%v", err)
				assert.Equal(t, schema.InvalidArgument, refused.Kind)
				assert.Contains(t, refused.Message, want[0])
				assert.Contains(t, refused.Message, want[1])
			}
		})
	}
}

func TestOtherAddressesMayHaveIDsOfTheirOwn(t *testing.T) {
	for text, want := range map[string]string{
		"sample-code-601": "sample-code-601", "lilywang": "lilywang", "94512345678": "94512345678", strings.Repeat("a", 64): strings.Repeat("a", 64),
		strings.ToUpper(kolID): kolID, "xiaohongshu.com/user/profile/kol_1": "kol_1",
		strings.Repeat("a", 65): "", "李佳琦": "", "a b": "", "https://www.xiaohongshu.com/explore/x": "",
	} {
		id, err := speaking(schema.English).KOLID(text)
		assert.Equal(t, want == "", err != nil, text)
		if want != "" {
			assert.Equal(t, want, id)
		}
	}
}

// TestWhatIsRefusedNeverReachesTheVendor also has numbers: one that has lost its
// last digits must not be taken for an id.
func TestWhatIsRefusedNeverReachesTheVendor(t *testing.T) {
	vendor := collectorFunc(func(context.Context, string, bool) (*schema.Collected, error) {
		t.Error("the vendor was asked")
		return nil, errors.New("asked")
	})
	c := connect(t, tools.New(tools.Options{Collector: vendor, Language: schema.English, Now: today, Logger: slog.New(slog.DiscardHandler)}))
	for _, arguments := range []string{
		`{}`, `{"kolId": "lilywang"}`, `{"kolId": 94512345678}`, `{"kolId": 521012345678901234567890}`, `{"kolId": {"id": 1}}`, `{"kolId": true}`,
		`{"kolId": "` + kolID + `", "gender": "female"}`, `{"kolId": "` + kolID + `", "targetAudience": {"cities": ["Atlantis"]}}`,
	} {
		e := call(t, c, tools.PortraitToolName, decode(t, arguments)).failure(t)
		assert.Equal(t, schema.InvalidArgument, e.Kind, arguments)
		assert.False(t, e.Charged || e.Retryable, arguments)
	}
	e := call(t, c, tools.ComparisonToolName, map[string]any{"kolIds": []any{kolID, strings.ToUpper(kolID)}}).failure(t)
	assert.Contains(t, e.Message, "kolIds has 1 different KOLs. It takes 2 to 20; for one there is get_kol_fans_portrait.")
}
