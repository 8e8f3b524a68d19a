package lenientjson

import (
	"bytes"
	"slices"
)

var (
	byteOrderMark = []byte("\ufeff")
	noNumbers     = [][]byte{[]byte("NaN"), []byte("Infinity"), []byte("-Infinity")}
)

// FromPython returns data with null in the place of what Python's json module writes for numbers that are none, such as NaN, and without a
// byte order mark. JSON knows neither.
func FromPython(data []byte) []byte {
	data = bytes.TrimPrefix(data, byteOrderMark)
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		n := 1
		switch i := slices.IndexFunc(noNumbers, func(no []byte) bool { return bytes.HasPrefix(data, no) }); {
		case i >= 0:
			n = len(noNumbers[i])
			out = append(out, "null"...)
		case data[0] == '"':
			n = min(len(stringAt(data))+len(`""`), len(data))
			fallthrough
		default:
			out = append(out, data[:n]...)
		}
		data = data[n:]
	}
	return out
}
