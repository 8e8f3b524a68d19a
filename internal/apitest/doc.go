// Package apitest has what the test suites of this module share: a RoundTripper that records requests and responds as it is
// told ([Stub]), a signed webhook request ([SignedRequest]), and small helpers. It is for tests only; users of the SDK have
// agentphonetest, the whole API in memory.
package apitest
