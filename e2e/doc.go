// Package e2e tests the built binary from outside, in processes of its own,
// against a vendor, stores, clients and a proxy that are real processes or
// servers too. The tests need more than Go, so they have the build tag e2e.
//
//   - money: what calls cost, over both stores, with one process and with three;
//     comparison, late, killed: the same of comparisons, and of the ways in which
//     callers leave and servers and stores end
//   - clients: one conversation of four clients, through every door, in every
//     revision; proxies: a client that is idle for six minutes, and nginx
//   - inspector, conformance: the official Inspector, and every scenario of the
//     official conformance suite, with the reason where one does not apply
//   - oauth: the clients' own OAuth against a real authorization server, whose keys
//     change; the Inspector with a bearer token
//   - secrets: no token in logs, traces, metrics, results, Redis and SQLite after
//     every kind of failure
//   - wrong: wrong arguments, and what is said of them
//   - bundle: the MCPB file, unpacked by the package of its standard, and started as
//     its manifest says
//   - faults: 10,000 calls of a vendor (faulty_vendor) on whose network everything
//     goes wrong, and what is left over afterwards
//   - replicas: 10,000 calls of a team to three replicas behind nginx, of which one
//     is killed and one told to end; streams: 2,000 that are idle beside 200 callers
//   - page: the page in the chat and the report, in Chromium, in a host of MCP Apps
//   - reference, a package of its own that needs Node alone: every figure against
//     a second reading of the contract, in another language
package e2e
