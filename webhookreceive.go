package agentphone

import (
	"crypto/sha256"
	"encoding/hex"
)

// maxDeliveryID is far above the length of an id, and keeps a store small in which somebody puts others.
const maxDeliveryID = 200

// digest stands in for a delivery's id.
func digest(of []byte) string {
	sum := sha256.Sum256(of)
	return "sha256:" + hex.EncodeToString(sum[:])
}
