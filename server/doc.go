// Package server puts an MCP server in front of its clients: over stdin and
// stdout ([ServeStdio]), or over HTTP ([ListenHTTP]).
//
// The protocol itself is mcp-go's. This package adds what a server needs to
// be left alone with strangers: bounded messages, Host and Origin checks,
// health, and a shutdown after which no call that was taken is left unanswered.
package server
