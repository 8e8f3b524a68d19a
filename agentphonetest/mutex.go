//go:build !race

package agentphonetest

import "sync"

type mutex = sync.Mutex
