package config

import (
	"reflect"
	"strings"
	"time"

	"kol-portrait-mcp/schema"
)

// Variable describes one variable of the environment for a reader.
type Variable struct {
	// Name is the variable's name.
	Name string
	// Default is the value that holds where none is set; empty for none.
	Default string
	// Meaning says what the variable sets, in a few words of plain text.
	Meaning string
}

// Variables returns every variable that Load reads, in the order in which a
// reader wants them. Help texts and documentation are made from it.
func Variables() []Variable {
	table := variables()
	values := defaults()
	described := make([]Variable, len(table))
	for i, v := range table {
		described[i] = Variable{Name: v.name, Default: values[v.name], Meaning: v.meaning}
	}
	return described
}

// defaults reads the defaults where they are written, in Config's tags.
func defaults() map[string]string {
	values := make(map[string]string)
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		name, options, _ := strings.Cut(field.Tag.Get("env"), ",")
		_, values[name], _ = strings.Cut(options, "default=")
	}
	return values
}

// The names that more than the table and Config need.
const (
	tokenName     = "JUSTONEAPI_TOKEN"
	tokenFileName = "JUSTONEAPI_TOKEN_FILE"
	baseURLName   = "JUSTONEAPI_BASE_URL"
)

// variable is one row of the table: what a reader is told and what is taken.
type variable struct {
	name    string
	meaning string
	rule
}

func variables() []variable {
	return []variable{
		{tokenName, "the vendor's token; without one the server starts and lists its tools, but cannot collect", secret(anything())},
		{tokenFileName, "a file that holds the vendor's token, instead of JUSTONEAPI_TOKEN", anything()},
		{"JUSTONEAPI_ENV", "the vendor's address: global, cn (mainland China, plain HTTP), or sample (simulated data, no network, no token)",
			oneOf(schema.EnvironmentGlobal, schema.EnvironmentCN, schema.EnvironmentSample)},
		{baseURLName, "an address to call instead of the vendor's", address()},
		{"JUSTONEAPI_ENDPOINT", "portrait (V1), profile (its successor), or auto (V1, and the successor where V1 is gone or cannot collect)",
			oneOf(schema.PolicyPortrait, schema.PolicyProfile, schema.PolicyAuto)},
		{"JUSTONEAPI_TIMEOUT", "how long one attempt may take", duration("60s", 100*time.Millisecond, 10*time.Minute)},
		{"JUSTONEAPI_MAX_ATTEMPTS", "attempts at one collection", whole(1, 10)},
		{"JUSTONEAPI_MAX_RPS", "requests a second to the vendor, all together", number(0.001, 1000)},

		{"PORTRAIT_ANSWER_WITHIN", "how long a tool call waits before it answers that the portrait is still being collected",
			duration("50s", 100*time.Millisecond, 10*time.Minute)},
		{"PORTRAIT_STORE", "where portraits are kept: sqlite:PATH, memory:, or redis://...; without it a file in your cache folder", storage()},
		{"PORTRAIT_CACHE_TTL", "how old a stored portrait may be and still be served; 0 collects anew every time", duration("24h", 0, 8760*time.Hour)},
		{"PORTRAIT_DAILY_BUDGET", "most charged calls a day, which starts at 00:00 Asia/Shanghai; 0 sets no limit", whole(0, 1_000_000_000)},
		{"PORTRAIT_LANGUAGE", "language of an answer to a call that names none: en or zh", oneOf(schema.English, schema.Chinese)},
		{"PORTRAIT_BASELINE_FILE", "a JSON file, shaped like the distributions of an answer, whose dimensions replace China's 2020 census as the baseline of the index (TGI)", anything()},

		{"MCP_TRANSPORT", "how clients reach the server: stdio, sse or http", oneOf(TransportStdio, TransportSSE, TransportHTTP)},
		{"MCP_ADDR", "listen address of sse and http", listenAddress()},
		{"MCP_AUTH_TOKENS", "bearer tokens that clients may present, separated by commas; an address that is not loopback needs at least one",
			secret(listOf("tokens separated by commas, each of printable ASCII characters without spaces", bearerToken))},
		{"MCP_ALLOW_UNAUTHENTICATED", "true listens beyond loopback without bearer tokens", boolean()},
		{"MCP_ALLOWED_HOSTS", "Host headers to accept, separated by commas; without it those of loopback",
			listOf("host names, with or without a port, separated by commas, such as portraits.example.com", hostHeader)},
		{"MCP_ALLOWED_ORIGINS", "Origin headers to accept, separated by commas; without it those of loopback",
			listOf("origins without a path, separated by commas, such as https://app.example.com", originHeader)},

		{"LOG_LEVEL", "least severe messages to log: debug, info, warn or error", oneOf("debug", "info", "warn", "error")},
		{"LOG_FORMAT", "form of the log on stderr: text, or json for machines", oneOf(LogText, LogJSON)},
	}
}
