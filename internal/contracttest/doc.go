// Package contracttest proves that three things agree: the client, the API in memory (package agentphonetest) and the
// published API. It compares every operation, parameter, field and enum, in requests and in responses.
//
// The published API is written down in testdata at the root of the module; spec_test.go explains the notation. Package
// methodcalls lists every method of every service, each with the request that it must send.
//
// To add an operation:
//
//  1. Write it into testdata/operations.json, its objects into shapes.json, and its enums into enums.json.
//  2. Declare it beside its service and list it in operation_test.go. The 72 there and in spec_test.go is now 73.
//  3. Write its method, and the operation in agentphonetest.
//  4. Call the method in package methodcalls, first with all its parameters, and write down the request that it must send.
//  5. Run go test . ./agentphonetest ./internal/contracttest. What does not agree yet is reported by name.
package contracttest
