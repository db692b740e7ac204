package clients_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/clients"
	"kol-portrait-mcp/schema"
)

var update = flag.Bool("update", false, "write docs/clients.md and docs/clients.zh.md anew")

const (
	path    = "/path/to/kol-portrait-mcp"
	onPATH  = "kol-portrait-mcp" // a link cannot know where the binary is
	address = "https://mcp.example.com/mcp"
)

// words are what a page says beside the data.
type words struct {
	file                                         string
	top                                          string
	head                                         string
	local, remote, link, yes, project, files, or string
}

var pages = map[schema.Language]words{
	schema.English: {
		file: "../docs/clients.md",
		top: `# Connect a client

[中文](clients.zh.md)

<!-- Made from clients/clients.json by: go test ./clients -update -->

Each client starts the binary itself (*on this machine*), or reaches a server that runs elsewhere (*remote*). The command
` + "`kol-portrait-mcp doctor --client ID`" + ` prints a client's block with the full path of the binary filled in, and its links.

- Put the full path of the binary in the place of ` + "`/path/to/kol-portrait-mcp`" + `: programs with windows often do not see
  your PATH. In JSON on Windows, double each backslash: ` + "`C:\\\\Tools\\\\kol-portrait-mcp.exe`" + `.
- Put your token in the place of ` + "`YOUR_TOKEN`" + `: on this machine the vendor's, from [Just One API](https://docs.justoneapi.com);
  remote the one that the server's operator gave you. Until then the server says that the token is missing.
- To try it without a token, set ` + "`JUSTONEAPI_ENV`" + ` to ` + "`sample`" + ` in its place: all data is then made up, and says so.
- Where a file has servers already, add ` + "`kol-portrait`" + ` beside them.
- Links hold no token. They start ` + "`kol-portrait-mcp`" + ` from the PATH: where it is not there, correct the command afterwards,
  or use the links that ` + "`doctor --client ID`" + ` prints. A link that does not begin with https goes into the browser's address bar.
`,
		head:  "| client | id | on this machine | remote | one-click link |",
		local: "On this machine.", remote: "Remote.", link: "Link: ", yes: "yes", project: "a project's folder", files: "File: ", or: "; ",
	},
	schema.Chinese: {
		file: "../docs/clients.zh.md",
		top: `# 连接客户端

[English](clients.md)

<!-- 由 clients/clients.json 生成：go test ./clients -update -->

客户端可以自己启动本程序（*本机*），也可以连接运行在别处的服务器（*远程*）。命令
` + "`kol-portrait-mcp doctor --client ID`" + ` 会输出该客户端的配置，程序的完整路径已经填好，并给出链接。

- 把 ` + "`/path/to/kol-portrait-mcp`" + ` 换成程序的完整路径：图形界面程序往往读不到 PATH。在 Windows 上，JSON 里的反斜杠要写两遍：
  ` + "`C:\\\\Tools\\\\kol-portrait-mcp.exe`" + `。
- 把 ` + "`YOUR_TOKEN`" + ` 换成你的 token：本机方式填 [Just One API](https://docs.justoneapi.com) 的 token；远程方式填服务器管理员给你的
  token。没有替换时，服务器会提示缺少 token。
- 想先试用、没有 token：用 ` + "`JUSTONEAPI_ENV`" + ` = ` + "`sample`" + ` 代替它。此时数据是模拟的，回答里会注明。
- 如果文件里已有其他服务器，把 ` + "`kol-portrait`" + ` 加在它们旁边。
- 链接里没有 token，启动的是 PATH 里的 ` + "`kol-portrait-mcp`" + `：如果不在 PATH 里，添加后请修改命令，或者使用
  ` + "`doctor --client ID`" + ` 输出的链接。不以 https 开头的链接，请粘贴到浏览器地址栏打开。
`,
		head:  "| 客户端 | ID | 本机 | 远程 | 一键链接 |",
		local: "本机：", remote: "远程：", link: "链接：", yes: "支持", project: "项目文件夹", files: "文件：", or: "；",
	},
}

// page writes the guide in a language.
func page(language schema.Language) string {
	w := pages[language]
	var text strings.Builder
	line := func(format string, values ...any) { fmt.Fprintf(&text, format+"\n", values...) }
	mark := func(there bool) string {
		if there {
			return w.yes
		}
		return "–"
	}
	line("%s\n%s\n| --- | --- | --- | --- | --- |", w.top, w.head)
	for _, c := range clients.All() {
		line("| %s | `%s` | %s | %s | %s |", c.Name, c.ID, mark(c.Here != nil), mark(c.There != nil), mark(len(c.Links(onPATH, nil))+len(c.RemoteLinks(address)) > 0))
	}
	setup := func(title string, s *clients.Setup, b clients.Block, links []clients.Link) {
		if s == nil {
			return
		}
		line("\n**%s** %s", title, s.Steps.In(language))
		var files []string
		for _, f := range s.Files {
			where := ""
			if f.For == "project" {
				where = w.project + " "
			} else if f.For != "" {
				where = f.For + " "
			}
			files = append(files, where+"`"+f.Path+"`")
		}
		if len(files) > 0 {
			line("\n%s%s", w.files, strings.Join(files, w.or))
		}
		if b.Format != "" {
			line("\n```%s\n%s```", map[string]string{"command": "sh"}[b.Format]+strings.TrimSuffix(b.Format, "command"), b.Text)
		}
		for _, link := range links {
			if strings.HasPrefix(link.URL, "https:") {
				line("\n%s[%s](%s)", w.link, link.Name, link.URL)
			} else {
				line("\n%s%s\n\n```text\n%s\n```", w.link, link.Name, link.URL)
			}
		}
	}
	for _, c := range clients.All() {
		line("\n## %s", c.Name)
		setup(w.local, c.Here, c.Local(path, nil), c.Links(onPATH, nil))
		setup(w.remote, c.There, c.Remote(address), c.RemoteLinks(address))
		if len(c.Notes) > 0 {
			line("")
		}
		for _, note := range c.Notes {
			line("- %s", note.In(language))
		}
	}
	return text.String()
}

func TestTheGuidesAreMadeFromTheData(t *testing.T) {
	for language, w := range pages {
		if *update {
			require.NoError(t, os.WriteFile(w.file, []byte(page(language)), 0o644))
		}
		written, err := os.ReadFile(w.file)
		require.NoError(t, err)
		assert.Equal(t, page(language), string(written), "go test ./clients -update")
	}
}
