package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"strings"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"kol-portrait-mcp/schema"
)

// facts fill the holes of the templates.
type facts struct {
	Version, Repository string
	Tools               []described // in English, like all that the server tells models of them
	Prompts             []described // in English
	ChinesePrompts      []described
}

// described is a tool or a prompt, as the manifest lists it.
type described struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Arguments   []string `json:"arguments,omitempty"`
	Text        string   `json:"text,omitempty"`
}

// ask asks the program of this machine for its version, tools and prompts.
func ask(ctx context.Context, programs map[string]string) (facts, error) {
	path := programs[runtime.GOOS+"_"+runtime.GOARCH]
	if path == "" {
		return facts{}, fmt.Errorf("none of the programs runs on %s_%s", runtime.GOOS, runtime.GOARCH)
	}
	f, err := askIn(ctx, path, schema.English)
	if err != nil {
		return facts{}, fmt.Errorf("ask %s in English: %w", path, err)
	}
	chinese, err := askIn(ctx, path, schema.Chinese)
	if err != nil {
		return facts{}, fmt.Errorf("ask %s in Chinese: %w", path, err)
	}
	f.ChinesePrompts = chinese.Prompts
	return f, nil
}

// askIn asks a program in one language. It starts with settings of its own, so
// that those of this process do not matter.
func askIn(ctx context.Context, path string, language schema.Language) (f facts, err error) {
	settings := []string{"JUSTONEAPI_ENV=sample", "PORTRAIT_STORE=memory:", "PORTRAIT_LANGUAGE=" + string(language), "LOG_LEVEL=error"}
	start := func(ctx context.Context, path string, settings, _ []string) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, path)
		cmd.Env = settings
		return cmd, nil
	}
	server, err := client.NewStdioMCPClientWithOptions(path, settings, nil, transport.WithCommandFunc(start))
	if err != nil {
		return f, err
	}
	defer func() { _ = server.Close() }()
	hello, err := server.Initialize(ctx, mcp.InitializeRequest{Params: mcp.InitializeParams{
		ProtocolVersion: mcp.LATEST_PROTOCOL_VERSION, ClientInfo: mcp.Implementation{Name: "mcpb", Version: "1"},
	}})
	if err != nil {
		return f, err
	}
	f.Version = hello.ServerInfo.Version
	tools, err := server.ListTools(ctx, mcp.ListToolsRequest{})
	if err != nil {
		return f, err
	}
	for _, tool := range tools.Tools {
		f.Tools = append(f.Tools, described{Name: tool.Name, Description: firstSentence(tool.Description)})
	}
	prompts, err := server.ListPrompts(ctx, mcp.ListPromptsRequest{})
	if err != nil {
		return f, err
	}
	for _, prompt := range prompts.Prompts {
		f.Prompts = append(f.Prompts, describe(prompt))
	}
	return f, nil
}

var sentence = regexp.MustCompile(`(?s)^.*?\.(\s|$)`)

// firstSentence returns what a list has room for.
func firstSentence(text string) string { return strings.TrimSpace(sentence.FindString(text)) }

// describe returns a prompt for the manifest, which wants a text with its arguments.
// The text that models get is longer, and made by the server once these are known.
func describe(prompt mcp.Prompt) described {
	d := described{Name: prompt.Name, Description: prompt.Description, Text: prompt.Description + "\n"}
	for _, argument := range prompt.Arguments {
		d.Arguments = append(d.Arguments, argument.Name)
		d.Text += "\n" + argument.Title + ": ${arguments." + argument.Name + "}"
	}
	return d
}
