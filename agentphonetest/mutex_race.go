//go:build race

package agentphonetest

import (
	"runtime"
	"sync"
)

// mutex lets others run when it is unlocked. So the race detector sees what is read or written after that, where
// otherwise nobody would take the lock within the microsecond.
type mutex struct{ sync.Mutex }

func (m *mutex) Unlock() {
	m.Mutex.Unlock()
	runtime.Gosched()
}
