package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// remark is an error in words of our own, which may be shown as it is.
type remark string

// Error returns the remark.
func (r remark) Error() string { return string(r) }

// cause says why a request brought no answer. Only text leaves, never the
// error, and only text that neither the other side nor a proxy has worded:
// net/http's errors may quote what came over the wire, and a *url.Error holds
// the URL, and with it the token.
func cause(err error) string {
	if own, ok := errors.AsType[remark](err); ok {
		return own.Error()
	}
	if text := tlsCause(err); text != "" {
		return text
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Error()
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		return lookup.Error()
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	for _, known := range []error{io.ErrUnexpectedEOF, io.EOF, net.ErrClosed} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "it took too long"
	}
	if strings.Contains(err.Error(), "server closed idle connection") { // net/http has no error to compare with
		return "the connection was closed"
	}
	return "it did not answer as HTTP does"
}

// tlsCause is the cause that lies in TLS, or nothing. What crypto/x509 says of
// a certificate may quote the names in it, which anybody can choose.
func tlsCause(err error) string {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another host"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is signed by an authority that is not known here"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "its certificate has expired or is not valid yet"
	}
	if roots, ok := errors.AsType[x509.SystemRootsError](err); ok {
		return roots.Error()
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not valid"
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return record.Error()
	}
	if strings.HasPrefix(innermost(err).Error(), "tls: ") { // most errors of crypto/tls have no type
		return "the TLS handshake failed"
	}
	return ""
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
