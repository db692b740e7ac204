// Package server puts an MCP server in front of its clients: over stdin and
// stdout ([ServeStdio]), or over HTTP ([ListenHTTP]).
//
// The protocol itself is mcp-go's. This package adds what a server needs to
// be left alone with strangers: bounded messages, answers to those that are
// wrong (refusal.go), Host and Origin checks, health, and a shutdown after which
// no call that was taken is left unanswered (over HTTP, if its tool heeds a
// cancellation).
//
// On stdio: stdio.go, between input.go (made of lines.go) and output.go. Over
// HTTP: http.go routes to sse.go and streamable.go, behind hosts.go, origins.go
// and body.go, watched by supervise.go with recorder.go; cancel.go ends calls
// that would outlast the shutdown. Calls in flight are counted by pending.go,
// fed by message.go and answers.go.
package server
