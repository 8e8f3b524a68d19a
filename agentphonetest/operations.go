package agentphonetest

import (
	"net/http"
	"slices"
)

// operation is one of the API's operations.
type operation struct {
	method string
	path   string
	do     func(*Server, *input) (any, error) // called with s.mu held, unless waits is set
	body   fields                             // nil: the operation takes no body
	query  fields
	status int  // of success
	public bool // no key
	waits  bool // do takes s.mu itself, for it waits
}

func (op *operation) name() string { return op.method + " " + op.path }

func get(path string, do func(*Server, *input) (any, error), query ...field) *operation {
	return &operation{method: http.MethodGet, path: path, do: do, query: query, status: http.StatusOK}
}

func post(path string, do func(*Server, *input) (any, error), body fields) *operation {
	return &operation{method: http.MethodPost, path: path, do: do, body: body, status: http.StatusOK}
}

func patch(path string, do func(*Server, *input) (any, error), body fields) *operation {
	op := post(path, do, body)
	op.method = http.MethodPatch
	return op
}

func remove(path string, do func(*Server, *input) (any, error)) *operation {
	return &operation{method: http.MethodDelete, path: path, do: do, status: http.StatusOK}
}

func (op *operation) withoutKey() *operation {
	op.public = true
	return op
}

func (op *operation) thatWaits() *operation {
	op.waits = true
	return op
}

func (op *operation) answers(status int) *operation {
	op.status = status
	return op
}

func (op *operation) with(query ...field) *operation {
	op.query = query
	return op
}

// operations is the API.
var operations = slices.Concat(
	signUpOperations,
	agentOperations, voiceOperations,
	numberOperations, contactCardOperations,
	messageOperations, reactionOperations,
	conversationOperations, conversationActionOperations,
	callOperations, webCallOperations, transcriptOperations, recordingOperations,
	contactOperations,
	webhookOperations, deliveryOperations,
	usageOperations, usageReportOperations,
	subAccountOperations, registrationOperations, locationOperations,
)

func isOperation(name string) bool {
	return slices.ContainsFunc(operations, func(op *operation) bool { return op.name() == name })
}

var succeeded = object{"success": true}
