// Package e2e tests the built binary from outside, in processes of its own,
// against a vendor, stores and clients that are real processes or servers too.
// The tests need more than Go, so they have the build tag e2e.
package e2e
