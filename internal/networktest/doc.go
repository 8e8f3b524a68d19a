// Package networktest proves, over real sockets, what the client promises of the network: that a request which is not
// idempotent takes effect at most once, that an idempotent one is retried, that the key reaches the API's origin only, and
// that nothing is left behind. Its servers speak HTTP/1.1, TLS and HTTP/2 on loopback and fail on demand; the chaos tests
// mix all failures. docs/retries.md is checked here row by row.
package networktest
