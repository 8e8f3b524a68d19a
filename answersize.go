package agentphone

import (
	"bytes"
	"errors"
)

// An answer that the transport lets through can still grow in memory a hundredfold: {} is two bytes, an Agent
// hundreds, and gzip makes a few kilobytes of millions of them. So what is decoded is counted first. The
// bounds are far above what a page holds: 500 items, or 100 calls with transcripts of an hour each.
const (
	maxItems   = 10_000  // objects of a page
	maxObjects = 200_000 // at any depth
	maxValues  = 500_000 // of lists and objects
)

var errTooManyValues = errors.New("it has more items, objects or values than a page can have")

// checkSize refuses a JSON text that would take too much memory to decode.
func checkSize(body []byte) error {
	// Of the texts that it may hold, some are full of braces: they count only where there is reason to look.
	if bytes.Count(body, []byte{'{'}) <= maxItems && bytes.Count(body, []byte{','}) <= maxValues {
		return nil
	}
	items, objects, values, depth, inText := 0, 0, 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			inText = !inText
		case inText && c == '\\':
			i++
		case inText:
		case c == '{' || c == '[':
			if c == '{' {
				objects++
			}
			if c == '{' && depth <= 2 { // {"data":[{, or less around it
				items++
			}
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
	}
	if items > maxItems || objects > maxObjects || values > maxValues {
		return errTooManyValues
	}
	return nil
}
