package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/term"

	"kol-portrait-mcp/clients"
	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream/sample"
)

// connect tells how a client is connected to this very binary, with the settings that
// hold now. The configuration goes to stdout, so that it can be written to a file; what
// to do with it goes to stderr.
func connect(cfg *config.Config, p process, id string) error {
	client, ok := clients.Lookup(id)
	if !ok {
		var ids []string
		for _, c := range clients.All() {
			ids = append(ids, c.ID)
		}
		return exitError{fmt.Errorf("--client is %q: it takes one of %s", id, strings.Join(ids, ", ")), exitUsage}
	}
	file, project, link, left := "File: ", "File, for one project: ", "Link: ", "Add these yourself, since they may hold a password: "
	if cfg.Language == schema.Chinese {
		file, project, link, left = "文件：", "文件（单个项目）：", "链接：", "以下设置可能含有密码，请自行添加："
	}
	if client.Here == nil {
		p.say(client.There.Steps.In(cfg.Language))
	} else {
		command, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find the path of this program: %w", err)
		}
		env, leftOut := settingsOf(cfg, p)
		p.say(client.Here.Steps.In(cfg.Language))
		for _, f := range client.Here.Files {
			switch f.For {
			case "project":
				p.say(project + f.Path)
			case "", systems[runtime.GOOS]:
				p.say(file + f.Path)
			}
		}
		if _, err := fmt.Fprint(p.stdout, client.Local(command, env).Text); err != nil {
			return fmt.Errorf("write the configuration: %w", err)
		}
		if len(leftOut) > 0 {
			p.say(left + strings.Join(leftOut, ", "))
		}
		for _, l := range client.Links(command, env) {
			if !strings.HasPrefix(l.URL, "https:") { // the others are for web pages
				p.say(link + l.URL)
			}
		}
	}
	for _, note := range client.Notes {
		p.say("- " + note.In(cfg.Language))
	}
	return nil
}

// systems are the operating systems as clients' files name them.
var systems = map[string]string{"darwin": "macOS", "windows": "Windows", "linux": "Linux"}

// settingsOf returns the variables with which a client starts the server as it is set
// now, paths in full since the client starts it elsewhere; and the names of those that
// are left out, for they may hold a secret. The token is in neither.
func settingsOf(cfg *config.Config, p process) (env map[string]string, leftOut []string) {
	env = map[string]string{}
	for _, v := range config.Variables() {
		value, _ := p.env.Lookup(v.Name)
		value = strings.TrimSpace(value)
		switch v.Name {
		case "JUSTONEAPI_ENV": // there is a flag for it
			value = string(cfg.Environment)
		case "JUSTONEAPI_TOKEN_FILE":
			value = absolute(cfg.TokenFile)
		case "PORTRAIT_BASELINE_FILE":
			value = absolute(cfg.BaselineFile)
		case "PORTRAIT_STORE":
			if cfg.Store.Path != "" {
				value = "sqlite:" + cfg.Store.Path
			}
		}
		if value == "" || value == v.Default || config.IsPlaceholder(value) || v.Name == "JUSTONEAPI_TOKEN" || strings.HasPrefix(v.Name, "MCP_") {
			continue
		}
		if cfg.Hide(value) != value {
			leftOut = append(leftOut, v.Name)
			continue
		}
		env[v.Name] = value
	}
	return env, leftOut
}

// absolute returns a path in full, as it is where it cannot be.
func absolute(path config.Path) string {
	whole, err := filepath.Abs(string(path))
	if path == "" || err != nil {
		return string(path)
	}
	return whole
}

// greet tells a person who has started the server by hand, on a terminal, what it waits
// for, in the terminal's language where none is set. A client's pipe hears nothing of it.
func greet(p process, language schema.Language) {
	stdin, ok := p.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(stdin.Fd())) {
		return
	}
	text := `This is an MCP server. It waits for an MCP client on its standard input, and is no chat.
Connect a client:       %[1]s doctor --client claude-desktop
Try it on made-up data: %[1]s --env sample portrait %[2]s
Stop it:                Ctrl-C`
	locale, _ := p.env.Lookup("LANG")
	_, set := p.env.Lookup("PORTRAIT_LANGUAGE")
	if language == schema.Chinese || !set && strings.HasPrefix(locale, "zh") {
		text = `这是一个 MCP 服务器，正在标准输入上等待 MCP 客户端连接，不能在这里直接对话。
连接客户端：     %[1]s doctor --client claude-desktop
用模拟数据试用： %[1]s --env sample portrait %[2]s
停止：           Ctrl-C`
	}
	p.say(fmt.Sprintf(text, os.Args[0], sample.DocumentedID))
}
