// Package faulttest is what the tests of the stores' modules share about faults of their servers and clocks: texts that are sent under
// idempotency keys meanwhile ([Run]), and a proxy that loses responses ([Proxy]).
package faulttest
