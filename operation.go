package agentphone

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// operation is one of the API's operations: what a service method names, and the
// only thing that decides on retries. Its template, never the filled-in path, goes to
// errors and logs: a path holds ids and phone numbers.
type operation struct {
	method string
	path   string
	// idempotent reports whether a second delivery changes nothing that the first did not. The zero value is the careful
	// one: such an operation is retried only if the server certainly did not act.
	idempotent bool
	// noKey: the operation is public, so the key is not sent.
	noKey bool
	// emptyAnswer: a 2xx may have no body, or null.
	emptyAnswer bool
	// streams is the media type of an answer that is handed on as it comes, and silence how long
	// such an answer may pause.
	streams string
	silence time.Duration
}

func (op *operation) String() string { return op.method + " " + op.path }

// fill puts the arguments, in order, into the template's {placeholders}. Each is
// escaped whole, so that none can lead to another path.
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

// hasBody: a POST always has one, for net/http sends a POST without a body again by
// itself after some HTTP/2 errors.
func hasBody(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}
