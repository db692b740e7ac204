package upstream

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kol-portrait-mcp/schema"
)

// failure is a request that brought no portrait, or could not be sent.
type failure struct {
	rule

	wait      time.Duration // before the next request, as the vendor asked for; 0: it did not
	code      int           // the vendor's; 0: it gave none
	status    int           // of HTTP, where that alone tells what happened; else 0
	requestID string
}

// Error returns what happened; public returns what the caller sees.
func (f *failure) Error() string { return f.what }

// label is the failure in short: the vendor's code, else the HTTP status, else the kind.
func (f *failure) label() string {
	switch {
	case f.code != 0:
		return strconv.Itoa(f.code)
	case f.status != 0:
		return "http_" + strconv.Itoa(f.status)
	default:
		return string(f.kind)
	}
}

// public is the failure as the caller sees it, after so many requests of its.
func (f *failure) public(sent int) *schema.Error {
	message := f.what
	if sent > 1 || sent == 1 && f.outcome == again {
		message += fmt.Sprintf(", after %d attempt%s", sent, strings.Repeat("s", min(sent-1, 1)))
	}
	seen := &schema.Error{
		Kind: f.kind, Message: message + "." + costs[f.outcome], UpstreamCode: f.code, RequestID: f.requestID, Charged: f.outcome.charged(),
		Retryable: f.outcome == later || f.outcome == again || f.outcome == unsettled,
	}
	switch { // agents call again at once where they are not told when
	case seen.Retryable && seen.Charged: // the vendor may still be at work on it
		seen.RetryAfterSeconds = 180
	case seen.Retryable:
		seen.RetryAfterSeconds = wholeSeconds(cmp.Or(f.wait, 2*time.Minute))
	}
	return seen
}

// wholeSeconds rounds a wait up, so that nobody comes too early.
func wholeSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// retryAfter reads a Retry-After header of so many seconds, a day at most:
// nobody plans further ahead. It is 0 where there is none to be read.
func retryAfter(header http.Header) time.Duration {
	seconds, _ := strconv.ParseUint(header.Get("Retry-After"), 10, 31) // the largest where it is too large; that fits a Duration
	return min(time.Duration(seconds)*time.Second, 24*time.Hour)
}

// cause says why a request brought no answer. Only text leaves, never the
// error, and only text that neither the other side nor a proxy has worded:
// net/http's errors may quote what came over the wire, a certificate's names are
// anybody's choice, and a *url.Error holds the URL, and with it the token.
func cause(err error) string {
	op, isOp := errors.AsType[*net.OpError](err)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	other, isOther := errors.AsType[net.Error](err)
	switch {
	case isOp:
		return op.Error()
	case isCertificate:
		return "its certificate is not valid, is for another host, or is signed by an authority that is not known here"
	case isOther && other.Timeout():
		return "it took too long"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	return "the connection broke, or does not speak HTTP and TLS as it should, or a proxy refused"
}
