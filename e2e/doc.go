// Package e2e tests the built binary from outside, in processes of its own,
// against a vendor, stores and clients that are real processes or servers too.
// The tests need more than Go, so they have the build tag e2e.
//
//   - clients: one conversation of four clients, through every door, in every revision
//   - inspector, conformance: the official Inspector, and every scenario of the
//     official conformance suite, with the reason why one does not apply; renaming
//     puts the product's tools under the names that the suite asks for
//   - wrong: requests that are wrong, and the exact answers, in testdata/wrong
//   - faults: 10,000 calls of a vendor on whose network everything goes wrong
//     (faulty_vendor), and what is left over afterwards; FAULTS_SEED is where chance begins
//   - late, once, comparison: answers that come late, charges that are made once
package e2e
