package agentphonetest

// OperationNames returns the operations of the table that requests are routed by, such as "POST /v1/calls".
func OperationNames() []string { return operationNames(func(*operation) bool { return true }) }

// WaitingOperationNames returns those that run without the server's lock.
func WaitingOperationNames() []string {
	return operationNames(func(op *operation) bool { return op.waits })
}

func operationNames(listed func(*operation) bool) (names []string) {
	for _, op := range operations {
		if listed(op) {
			names = append(names, op.name())
		}
	}
	return names
}

// ControlRoutes returns the routes of the control handler, such as "POST /messages".
func ControlRoutes() (patterns []string) {
	for _, route := range controlRoutes {
		patterns = append(patterns, route.pattern)
	}
	return patterns
}
