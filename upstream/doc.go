// Package upstream asks Just One API for portraits of KOL audiences.
//
// A Client sends one request per attempt, reads a bounded answer, judges it by
// the business code inside (not by its HTTP status, which older and newer
// versions of the vendor's API use differently), checks every figure, and
// turns whatever went wrong into a [schema.Error] that says what happened and
// what to do next.
//
// The vendor has two endpoints with the same data: V1, which is deprecated, and
// its successor. Which are asked is a [schema.EndpointPolicy]; under auto that
// is V1, and the successor once V1 is gone or where it cannot collect a KOL.
//
// Every request may cost money. So a request is admitted by the caller right
// before it is sent, and settled once its outcome is known; and none is
// repeated, nor sent to the other endpoint, where the first may have been
// charged. A vendor that keeps failing is left alone for a while.
//
// The vendor takes its token as a query parameter, so every URL is a secret
// here: this package follows no redirect, writes no URL anywhere, and scrubs
// the token from all text that it hands on.
package upstream
