// Package contracttest proves that client, API in memory and published API agree: every operation, parameter, field and enum,
// both ways. The contract is in testdata at the root of the module; spec_test.go says how it is written.
package contracttest
