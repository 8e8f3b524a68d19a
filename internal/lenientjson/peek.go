package lenientjson

import "bytes"

// PeekString returns the string that is the member of that name of the object in data, without looking at what follows it. It checks nothing
// and does not decode escapes, so it serves for a guess that is checked later.
func PeekString(data []byte, name string) []byte {
	depth := 0
	for at := 0; at < len(data); at++ {
		switch data[at] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			text := stringAt(data[at:])
			at += len(text) + 1
			if depth != 1 || string(text) != name {
				continue
			}
			if value, ok := bytes.CutPrefix(trimSpace(data[min(at+1, len(data)):]), []byte(":")); ok { // else it is a value itself
				return stringAt(trimSpace(value))
			}
		}
	}
	return nil
}

// stringAt returns what is between the quotes of the string that data begins with, or nil if it does not begin with one.
func stringAt(data []byte) []byte {
	if len(data) == 0 || data[0] != '"' {
		return nil
	}
	for end := 1; end < len(data); end++ {
		switch data[end] {
		case '\\':
			end++
		case '"':
			return data[1:end]
		}
	}
	return data[1:]
}

func trimSpace(data []byte) []byte {
	for len(data) > 0 && data[0] <= ' ' && (data[0] == ' ' || data[0] == '\n' || data[0] == '\t' || data[0] == '\r') {
		data = data[1:]
	}
	return data
}
