package agentphone

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// operation is one of the API's operations, declared beside the service that uses it. Its path template, never the filled-in
// path, goes to errors and logs: a path holds ids and phone numbers.
type operation struct {
	method string
	path   string
	// idempotent reports whether a second delivery changes nothing that the first did not. The zero value is the careful
	// one: such an operation is retried only if the server certainly did not act.
	idempotent bool
	// noKey is set on public operations: the key is not sent.
	noKey bool
	// emptyOK allows a 2xx without a body, or with null.
	emptyOK bool
	// result, unless empty, is a member of the result. A 4xx that has it is no error: its result is decoded as that of a 2xx.
	result string
	// untyped is set for [Client.Do]: the response is decoded into the caller's own type, as it is.
	untyped bool
	// mediaType is set for a response that is read as it comes: a stream or a recording. silence is how long it may pause.
	mediaType string
	silence   time.Duration
	// steady is set for such a response if its bytes must come at a steady pace: each further so many within the attempt's timeout.
	steady int
}

func (op *operation) String() string { return op.method + " " + op.path }

// fill replaces the template's {placeholders} by the arguments, in order. Each is escaped whole, so that none can lead to
// another path.
func (op *operation) fill(args []string) (string, error) {
	var b strings.Builder
	rest := op.path
	for _, arg := range args {
		before, after, _ := strings.Cut(rest, "{")
		name, after, _ := strings.Cut(after, "}")
		if err := checkPathID(name, arg); err != nil {
			return "", err
		}
		b.WriteString(before + url.PathEscape(arg))
		rest = after
	}
	return b.String() + rest, nil
}

// hasBody reports whether requests of a method have a body. A POST always has one: net/http sends a POST without a body again
// by itself after some HTTP/2 errors.
func hasBody(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}
