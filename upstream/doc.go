// Package upstream asks Just One API for portraits of KOL audiences.
//
// A Client sends one request per attempt, reads a bounded answer, judges it by
// the business code inside (not by its HTTP status, which older and newer
// versions of the vendor's API use differently), checks every figure, and
// turns whatever went wrong into a [schema.Error] that says what happened and
// what to do next. It tries again only where another request cannot be charged
// a second time.
//
// The vendor takes its token as a query parameter, so every URL is a secret
// here: this package follows no redirect, writes no URL anywhere, and scrubs
// the token from all text that it hands on.
package upstream
