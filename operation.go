package agentphone

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// operation is one of the API's operations, declared beside the service that uses it. Errors and logs have its path
// template, never the path, which contains ids and phone numbers.
type operation struct {
	name   string // Service.Method, or .Do
	method string
	path   string
	// idempotent reports whether a second delivery changes nothing that the first did not. An operation that is not
	// idempotent, which is the default, is retried only if the server certainly did not act.
	idempotent bool
	// noKey reports whether the operation is public: the key is not sent.
	noKey bool
	// emptyOK reports whether a 2xx may have no body, or null.
	emptyOK bool
	// result, unless empty, is a field of the result. A 4xx with it is no error: it is decoded as a 2xx is.
	result string
	// untyped is set for [Client.Do]: the response is decoded into the caller's type, as it is.
	untyped bool
	// mediaType is set if the response is read while it is received: a stream or a recording.
	mediaType string
	// silence is how long such a response may pause.
	silence time.Duration
	// steady is how many bytes of such a response must come within each further timeout of the attempt; 0 is no limit.
	steady int
	// find returns the finder of what a request with params may have created. It is nil if no list shows the
	// operation's effect.
	find func(params any) finder
}

func (op *operation) String() string { return op.method + " " + op.path }

// fill returns the path: the template with its {placeholders} replaced by args, in order. An argument is escaped as one
// segment, so that it cannot lead to another operation.
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

// hasBody reports whether requests with an HTTP method have a body. A POST always has one, since net/http sends a POST
// without a body again by itself after some HTTP/2 errors.
func hasBody(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}
