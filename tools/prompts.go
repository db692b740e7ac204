package tools

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// The prompts, which people choose from.
const (
	AssessPromptName    = "assess_audience_fit"
	ShortlistPromptName = "shortlist_kols"
	longestBrief        = 4000 // characters: a page; a strategy deck would drown what the prompt says about it
)

// prompts returns the prompts in the language of t.
func (t *Tools) prompts() []mcpserver.ServerPrompt {
	in := func(english, chinese string) string { return say(t.Language, english, chinese) }
	argument := func(name, title, description string) mcp.PromptOption {
		return mcp.WithArgument(name, mcp.RequiredArgument(), mcp.ArgumentTitle(title), mcp.ArgumentDescription(description))
	}
	brief := argument("brief", in("Brief", "投放需求（brief）"), in(
		"What the brand sells and whom it wants to reach, in your own words, at most 4,000 characters",
		"品牌卖什么、想触达谁，用自己的话描述，最多 4000 字"))
	assess := mcp.NewPrompt(AssessPromptName,
		mcp.WithPromptTitle(in("Does a creator's audience fit?", "评估达人人群匹配度")),
		mcp.WithPromptDescription(in(
			"Judge whether a Xiaohongshu creator's followers are the people a brand wants to reach. Costs at most one charged call.",
			"判断一位小红书达人的粉丝是否就是品牌想触达的人群，最多计费一次。")),
		argument("kolId", in("Creator", "达人"), in("Xiaohongshu user id, or the address of the profile page", "小红书用户 ID 或主页链接")), brief)
	shortlist := mcp.NewPrompt(ShortlistPromptName,
		mcp.WithPromptTitle(in("Shortlist creators by audience", "按粉丝画像筛选达人")),
		mcp.WithPromptDescription(in(
			"Choose from 2 to 20 Xiaohongshu creators those whose followers a brand wants to reach. Costs at most one charged call for each.",
			"从 2 到 20 位小红书达人中，选出粉丝符合品牌目标人群的达人，每位最多计费一次。")),
		argument("kolIds", in("Creators", "达人"), in(
			"2 to 20 Xiaohongshu user ids or addresses of profile pages, separated by commas, spaces or new lines",
			"2 到 20 个小红书用户 ID 或主页链接，用逗号、空格或换行分隔")), brief)
	return []mcpserver.ServerPrompt{{Prompt: assess, Handler: t.getPrompt}, {Prompt: shortlist, Handler: t.getPrompt}}
}

// getPrompt answers a request for a prompt: one message of the user's.
func (t *Tools) getPrompt(ctx context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	text, err := t.promptText(request.Params.Name, request.Params.Arguments)
	if err != nil {
		return nil, t.explained(ctx, "prompt", request.Params.Name, err)
	}
	return &mcp.GetPromptResult{Messages: []mcp.PromptMessage{{Role: mcp.RoleUser, Content: mcp.NewTextContent(text)}}}, nil
}

// promptText returns the text of a prompt. Its template has the KOLs, one or those
// to choose from, and the brief.
func (t *Tools) promptText(name string, given map[string]string) (text string, err error) {
	var words struct {
		KOLIDs []string
		Brief  string
	}
	if name == AssessPromptName {
		words.KOLIDs = make([]string, 1)
		words.KOLIDs[0], err = t.KOLID(given["kolId"])
	} else {
		var args ComparisonArguments
		args, err = t.ParseComparisonArguments(map[string]any{"kolIds": strings.Join(strings.Fields(given["kolIds"]), ",")})
		words.KOLIDs, _ = args.different()
	}
	if err == nil {
		words.Brief, err = t.parseBrief(given["brief"])
	}
	if err != nil {
		return "", err
	}
	return fill(words, "prompts/"+name+"."+string(t.Language)+".md", "prompts/parts."+string(t.Language)+".md")
}

// tag is what would end the brief before its end.
var tag = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)<(\s*/?\s*brief)`) })

// parseBrief returns a brief as its author sees it: without characters that show
// nothing, which can hide words from the user that the model would read.
func (t *Tools) parseBrief(given string) (string, error) {
	brief := strings.TrimSpace(strings.Map(visible, strings.ReplaceAll(given, "\r\n", "\n")))
	if brief == "" {
		return "", invalidArgument("%s", say(t.Language, "brief is missing: say what the brand sells and whom it wants to reach.", "缺少 brief：请说明品牌卖什么、想触达谁。"))
	}
	if n := utf8.RuneCountInString(brief); n > longestBrief {
		return "", invalidArgument(say(t.Language, "brief has %d characters: shorten it to %d.", "brief 有 %d 字：请缩短到 %d 字以内。"), n, longestBrief)
	}
	return tag().ReplaceAllString(brief, "‹$1"), nil
}
