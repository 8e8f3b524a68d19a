// Package leasetime is a setting that only internal/killtest changes.
package leasetime

import "time"

// Key is how long a claim of an idempotency key holds unless it is renewed. The processes of internal/killtest are killed so often
// that it cannot wait so long each time.
var Key = 30 * time.Second
