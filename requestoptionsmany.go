package agentphone

import "slices"

// What the options of a method that makes several requests are for.

// forRequestsOf returns the options of a method that makes requests of several operations.
func forRequestsOf(opts []RequestOption, operations ...*operation) []RequestOption {
	return slices.Concat([]RequestOption{requestOption(func(rc *requestConfig) error {
		rc.others = operations
		return nil
	})}, opts)
}

// checkOptions returns the error that a request of op with the options would have.
func (s *service) checkOptions(op *operation, opts []RequestOption) error {
	c := s.owner()
	if c == nil || c.cfg == nil {
		return errNoClient
	}
	_, err := c.cfg.requestConfig(op, opts)
	return err
}

// isFor reports whether the request is of op, which the option name is for. It returns an error if none of the method's is.
func (rc *requestConfig) isFor(name string, op *operation) (bool, error) {
	if rc.op == op || slices.Contains(rc.others, op) {
		return rc.op == op, nil
	}
	return false, &ValidationError{name, "is not an option of " + rc.op.String()}
}
