package telemetry

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// otlpClient sends spans as OTLP over HTTP, in protobuf. The client of OpenTelemetry's
// own module brings gRPC with it, a tenth of the server's start and 3 MB of its memory,
// even where no trace is sent.
type otlpClient struct {
	address string
	header  http.Header
	timeout time.Duration
	http    *http.Client
}

// tracesVariable is the variable of OTLP of that name for traces, or else for all.
func tracesVariable(name string) string {
	return cmp.Or(strings.TrimSpace(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_"+name)), strings.TrimSpace(os.Getenv("OTEL_EXPORTER_OTLP_"+name)))
}

// newOTLPClient reads OTLP's variables ENDPOINT, HEADERS and TIMEOUT (in milliseconds,
// 10,000 unless it is set). The error names what cannot be read, and no value.
func newOTLPClient() (*otlpClient, error) {
	address, variable := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	if strings.TrimSpace(address) == "" {
		variable = "OTEL_EXPORTER_OTLP_ENDPOINT"
		address = strings.TrimSuffix(strings.TrimSpace(os.Getenv(variable)), "/") + "/v1/traces"
	}
	address = strings.TrimSpace(address)
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s is not an http or https address, such as http://localhost:4318", variable)
	}
	c := &otlpClient{address: address, header: http.Header{"Content-Type": {"application/x-protobuf"}}, timeout: 10 * time.Second, http: &http.Client{}}
	for pair := range strings.SplitSeq(tracesVariable("HEADERS"), ",") {
		name, value, isPair := strings.Cut(strings.TrimSpace(pair), "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if pair != "" && (!isPair || err != nil) {
			return nil, errors.New("OTEL_EXPORTER_OTLP_HEADERS has a header that is not NAME=VALUE, with odd characters as %XX")
		}
		if isPair {
			c.header.Set(strings.TrimSpace(name), value)
		}
	}
	if text := tracesVariable("TIMEOUT"); text != "" {
		milliseconds, err := strconv.Atoi(text)
		if err != nil || milliseconds <= 0 {
			return nil, errors.New("OTEL_EXPORTER_OTLP_TIMEOUT is no number of milliseconds")
		}
		c.timeout = time.Duration(milliseconds) * time.Millisecond
	}
	return c, nil
}

// Start implements otlptrace.Client: the first spans open the connection.
func (*otlpClient) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *otlpClient) Stop(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client. Spans that the collector does not take are
// lost: the next ones come in seconds. The error does not hold the address, which may
// have a password.
func (c *otlpClient) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans}) // on the wire the same as the request's own type
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	r.Header = c.header.Clone()
	answer, err := c.http.Do(r)
	if failed, ok := err.(*url.Error); ok { //nolint:errorlint // http.Client documents the type
		err = failed.Err
	}
	if err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10)) // all, so that the connection is used again
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("the collector answers %s: %.200q", answer.Status, text)
	}
	if err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	return nil
}
