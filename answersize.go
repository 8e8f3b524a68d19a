package agentphone

import (
	"bytes"
	"errors"
)

// An answer that the transport lets through can still grow in memory a hundredfold: {} is two bytes, an Agent
// hundreds, and gzip makes a few kilobytes of millions of them. So what is decoded is counted first. A page holds
// 500 items at most.
const (
	maxObjects = 50_000  // each becomes a struct or a map
	maxValues  = 500_000 // of lists and objects, each some tens of bytes
)

var errTooManyValues = errors.New("it has over 50,000 objects or 500,000 values")

// checkSize refuses a JSON text that would take too much memory to decode.
func checkSize(body []byte) error {
	// Of the texts that it may hold, some are full of braces: they count only where there is reason to look.
	if bytes.Count(body, []byte{'{'}) <= maxObjects && bytes.Count(body, []byte{','}) <= maxValues {
		return nil
	}
	objects, values, inText := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			inText = !inText
		case inText && c == '\\':
			i++
		case inText:
		case c == '{':
			objects++
		case c == ',':
			values++
		}
	}
	if objects > maxObjects || values > maxValues {
		return errTooManyValues
	}
	return nil
}
