package telemetry

import (
	"slices"
	"strings"
)

// Other takes the place of a label's value that is not known. Whoever sends a request
// chooses its method and its tool; each new value would take memory for good.
const Other = "_OTHER"

// The values that labels may have. The tests hold them against the packages that
// they come from, which this one does not import.
var (
	mcpMethods = []string{
		"initialize", "ping", "server/discover", "subscriptions/listen", "logging/setLevel", "completion/complete",
		"tools/list", "tools/call", "prompts/list", "prompts/get",
		"resources/list", "resources/templates/list", "resources/read", "resources/subscribe", "resources/unsubscribe",
		"tasks/get", "tasks/list", "tasks/result", "tasks/cancel",
	}
	mcpVersions  = []string{"2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}
	mcpErrors    = []string{ToolError, "-32700", "-32600", "-32601", "-32602", "-32603", "-32002", "-32020", "-32021", "-32022", "-32042", "-32800"}
	toolNames    = []string{"get_kol_fans_portrait", "compare_kol_fans_portraits"}
	promptNames  = []string{"assess_audience_fit", "shortlist_kols"}
	transports   = []string{"pipe", "tcp"}
	httpMethods  = []string{"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
	httpRoutes   = []string{"/mcp", "/sse", "/message", "/healthz", "/readyz", "/metrics", wellKnown, wellKnown + "/mcp", wellKnown + "/sse"}
	refusals     = []string{"unauthorized", "forbidden", "issuer", "busy", "rate", "streams"}
	sources      = []string{"store", "vendor", "mixed", "none"}
	storeMethods = []string{
		"Open", "Newest", "Older", "Save", "KOLs", "Acquire", "Release", "Fail", "Charge", "Refund", "Charged", "Turn", "Ping",
	}
	kinds = []string{
		"invalid_argument", "missing_token", "invalid_token", "permission_denied", "insufficient_balance", "daily_quota_exceeded",
		"budget_exhausted", "rate_limited", "collection_failed", "no_portrait", "upstream_rejected", "upstream_error", "endpoint_removed",
		"bad_response", "timeout", "network", "still_collecting", "store_unavailable", "internal",
	}
)

const wellKnown = "/.well-known/oauth-protected-resource"

// ToolError is the ErrorType of a call whose tool answered with an error of its own.
const ToolError = "tool_error"

// known returns value where it is one of those, or empty, which Prometheus takes for a
// label that is not there; else Other.
func known(value string, of []string) string {
	if value == "" || slices.Contains(of, value) {
		return value
	}
	return Other
}

// Known returns o with what its sender may have made up replaced by Other, fit for
// labels and for the names of spans.
func (o Operation) Known() Operation {
	return Operation{
		Method:          known(o.Method, mcpMethods),
		Tool:            known(o.Tool, toolNames),
		Prompt:          known(o.Prompt, promptNames),
		ErrorType:       known(o.ErrorType, mcpErrors),
		Transport:       known(o.Transport, transports),
		ProtocolVersion: known(o.ProtocolVersion, mcpVersions),
	}
}

// route is the path of a pattern of net/http, such as "POST /mcp/{$}".
func route(pattern string) string {
	_, path, withMethod := strings.Cut(pattern, " ")
	if !withMethod {
		path = pattern
	}
	path = strings.TrimSuffix(strings.TrimSuffix(path, "{$}"), "/")
	if path == "" { // nothing has matched, or "/" alone
		return Other
	}
	return known(path, httpRoutes)
}

// vendorCode is a code of the vendor's, which all have three digits but 0, an HTTP
// status after http_, or the kind of a failure.
func vendorCode(code string) string {
	digits := strings.TrimPrefix(code, "http_")
	if code == "0" || len(digits) == 3 && strings.Trim(digits, "0123456789") == "" {
		return code
	}
	return known(code, kinds)
}
