// Package networktest proves over real sockets what the client promises: that a request which is not idempotent takes
// effect at most once, that an idempotent one is retried, that the API key is sent to the API's origin only, and that no
// goroutine or connection is left behind. Its servers speak HTTP/1.1, TLS and HTTP/2 on loopback and fail on demand;
// failures_test.go lists the ways in which they fail, and operations_test.go the operations. The chaos tests mix all
// failures. The table in docs/retries.md is checked here row by row.
package networktest
