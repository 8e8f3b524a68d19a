// Package apitest has what the test suites of this module share: clients whose requests are recorded and get the
// responses that a test chooses ([NewClient], [Stub]), calls to make with them, signed webhook requests
// ([SignedRequest]), programs that run in a process of their own ([Program]), and a few checks and measures.
//
// It is for the tests of this module only. Users of the SDK have agentphonetest, which is the whole API in memory.
package apitest
