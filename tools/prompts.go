package tools

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// The prompts, and what they take.
const (
	AssessPromptName    = "assess_audience_fit"
	ShortlistPromptName = "shortlist_kols"

	kolIDArgument  = "kolId"  // of AssessPromptName
	kolIDsArgument = "kolIds" // of ShortlistPromptName
	briefArgument  = "brief"

	// longestBrief is how many characters a brief may have. A campaign is
	// described on a page; a whole strategy deck would drown what the prompt
	// says about it.
	longestBrief = 4000

	// manyKOLs is from how many on a comparison may cost so much that the budget
	// is looked at first.
	manyKOLs = 6
)

// promptTexts are the prompts as templates of promptWords, a file for each
// prompt and language, and one for what both prompts say in a language.
//
//go:embed prompts
var promptTexts embed.FS

// promptWords are what a prompt is made of besides its text.
type promptWords struct {
	KOLIDs []string // one, or those to choose from
	Brief  string
	Fence  string // what names the brief's tags, so that the brief cannot close them
}

// Many tells that a comparison of the KOLs may cost a lot.
func (w promptWords) Many() bool { return len(w.KOLIDs) >= manyKOLs }

// prompts returns the prompts in the language of t: people choose from them.
func (t *Tools) prompts() []mcpserver.ServerPrompt {
	brief := mcp.WithArgument(briefArgument, mcp.RequiredArgument(),
		mcp.ArgumentTitle(t.say("Brief", "需求简报")),
		mcp.ArgumentDescription(t.say(
			"What the brand sells and whom it wants to reach, in your own words, at most 4,000 characters",
			"品牌卖什么、想触达谁，用自己的话描述，最多 4000 字")))
	assess := mcp.NewPrompt(AssessPromptName,
		mcp.WithPromptTitle(t.say("Does a creator's audience fit?", "评估达人受众匹配度")),
		mcp.WithPromptDescription(t.say(
			"Judge whether a Xiaohongshu creator's followers are the people a brand wants to reach. Costs at most one charged call.",
			"判断一位小红书达人的粉丝是否就是品牌想触达的人群，最多计费一次。")),
		mcp.WithArgument(kolIDArgument, mcp.RequiredArgument(),
			mcp.ArgumentTitle(t.say("Creator", "达人")),
			mcp.ArgumentDescription(t.say(
				"Xiaohongshu user id, or the address of the profile page",
				"小红书用户 ID 或主页链接"))),
		brief)
	shortlist := mcp.NewPrompt(ShortlistPromptName,
		mcp.WithPromptTitle(t.say("Shortlist creators by audience", "按受众筛选达人")),
		mcp.WithPromptDescription(t.say(
			"Choose from 2 to 20 Xiaohongshu creators those whose followers a brand wants to reach. Costs at most one charged call for each.",
			"从 2 到 20 位小红书达人中，选出粉丝符合品牌目标人群的达人，每位最多计费一次。")),
		mcp.WithArgument(kolIDsArgument, mcp.RequiredArgument(),
			mcp.ArgumentTitle(t.say("Creators", "达人")),
			mcp.ArgumentDescription(t.say(
				"2 to 20 Xiaohongshu user ids or addresses of profile pages, separated by commas, spaces or new lines",
				"2 到 20 个小红书用户 ID 或主页链接，用逗号、空格或换行分隔"))),
		brief)
	return []mcpserver.ServerPrompt{
		{Prompt: assess, Handler: t.getPrompt(assess)},
		{Prompt: shortlist, Handler: t.getPrompt(shortlist)},
	}
}

func (t *Tools) say(english, chinese string) string {
	return (&writer{lang: t.language}).say(english, chinese)
}

// getPrompt returns what answers a request for a prompt where refuseArguments
// has let it through: one message of the user's.
func (t *Tools) getPrompt(prompt mcp.Prompt) mcpserver.PromptHandlerFunc {
	return func(ctx context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		words, err := parsePromptArguments(prompt.Name, request.Params.Arguments)
		if err != nil {
			return nil, err
		}
		text, err := t.promptText(prompt.Name, words)
		if err != nil {
			return nil, logFailure(ctx, t.log.With("prompt", prompt.Name), err).Error
		}
		return &mcp.GetPromptResult{
			Description: prompt.Description,
			Messages:    []mcp.PromptMessage{{Role: mcp.RoleUser, Content: mcp.NewTextContent(text)}},
		}, nil
	}
}

// promptText fills in the prompt of the given name.
func (t *Tools) promptText(name string, words promptWords) (string, error) {
	language := t.say("en", "zh")
	file := name + "." + language + ".md"
	functions := template.FuncMap{"join": func(ids []string) string { return strings.Join(ids, ", ") }}
	parsed, err := template.New(file).Funcs(functions).ParseFS(promptTexts, "prompts/parts."+language+".md", "prompts/"+file)
	if err != nil {
		return "", fmt.Errorf("reading prompt %s: %w", file, err)
	}
	var text strings.Builder
	if err := parsed.Execute(&text, words); err != nil {
		return "", fmt.Errorf("filling in prompt %s: %w", file, err)
	}
	return strings.TrimSpace(text.String()), nil
}

// refuseArguments has a request for a prompt that its arguments do not fill
// answered as invalid parameters. mcp-go makes an internal error of all that a
// handler returns, and has that code only for prompts that it does not know; so
// the name becomes one of those, with the reason, which mcp-go repeats to the
// client.
func (t *Tools) refuseArguments(_ context.Context, _ any, request *mcp.GetPromptRequest) {
	name := request.Params.Name
	if name != AssessPromptName && name != ShortlistPromptName {
		return
	}
	if _, err := parsePromptArguments(name, request.Params.Arguments); err != nil {
		request.Params.Name += " (with these arguments: " + FailureOf(err).Error.Message + ")"
	}
}

// parsePromptArguments understands the arguments of the prompt of the given
// name as ParsePortraitArguments does those of a tool, and makes ready what
// they say.
func parsePromptArguments(name string, raw map[string]string) (promptWords, error) {
	values := make(map[string]any, len(raw))
	for argument, value := range raw {
		if strings.TrimSpace(value) != "" { // a form's empty field
			values[argument] = value
		}
	}
	kols, parse := oneKOL(), parseOneKOLID
	if name == ShortlistPromptName {
		kols, parse = severalKOLs(), parseKOLIDs
	}
	var words promptWords
	given := named("", values, []argument{kols, {name: briefArgument, required: true}})
	require(given, kols.name, &words.KOLIDs, parse)
	require(given, briefArgument, &words.Brief, parseBrief)
	words.Fence = fence(words.Brief)
	return words, given.err
}

func parseOneKOLID(name string, value any) ([]string, error) {
	id, err := parseKOLID(name, value)
	return []string{id}, err
}

// parseBrief returns a brief as its author sees it: without characters that
// show nothing, which can hide words from the user that the model would read.
func parseBrief(name string, value any) (string, error) {
	text, _ := value.(string)
	text = strings.TrimSpace(strings.Map(visible, strings.ReplaceAll(text, "\r\n", "\n")))
	if text == "" {
		return "", invalidArgument(`%s is missing. Say what the brand sells and whom it wants to reach, such as "Anti-ageing serum for women of 30 to 45 in the big cities of the Yangtze delta".`, name)
	}
	if length := utf8.RuneCountInString(text); length > longestBrief {
		return "", invalidArgument("%s has %d characters. It takes %d at most: leave out what does not tell what the brand sells and whom it wants to reach.", name, length, longestBrief)
	}
	return text, nil
}

// visible returns r, a line break for what ends a line, or -1 for what shows
// nothing.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029':
		return '\n'
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
		return -1
	default:
		return r
	}
}

// fence returns what names the tags around a brief: something that is not in
// it, so that nothing in it can close them. It follows from the brief, so that
// the same request gives the same prompt, and cannot be told without it.
func fence(brief string) string {
	for attempt := 0; ; attempt++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s", attempt, brief))
		mark := hex.EncodeToString(sum[:3])
		if !strings.Contains(strings.ToLower(brief), mark) {
			return mark
		}
	}
}

// CompletePromptArgument completes the KOLs of a prompt with those that have a
// stored portrait: of several, the last one. For a brief it knows no values.
func (c completer) CompletePromptArgument(ctx context.Context, prompt string, argument mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	switch {
	case prompt == AssessPromptName && argument.Name == kolIDArgument:
		return c.storedKOLs(ctx, prompt, argument.Value)
	case prompt == ShortlistPromptName && argument.Name == kolIDsArgument:
		return c.anotherKOL(ctx, prompt, argument.Value)
	}
	return &mcp.Completion{}, nil
}

// anotherKOL completes the last of several ids: each value is the whole list
// with one that is not in it yet.
func (c completer) anotherKOL(ctx context.Context, prompt, typed string) (*mcp.Completion, error) {
	separates := func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",，、;；", r) }
	chosen := strings.TrimRightFunc(typed, func(r rune) bool { return !separates(r) })
	completion, err := c.storedKOLs(ctx, prompt, typed[len(chosen):])
	if err != nil {
		return nil, err
	}
	already := strings.FieldsFunc(chosen, separates)
	completion.Values = slices.DeleteFunc(completion.Values, func(id string) bool { return slices.Contains(already, id) })
	for i, id := range completion.Values {
		completion.Values[i] = chosen + id
	}
	if !completion.HasMore {
		completion.Total = len(completion.Values)
	}
	return completion, nil
}
