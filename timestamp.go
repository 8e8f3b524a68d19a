package agentphone

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"
)

// Timestamp is a point in time as the API writes it. It holds a [time.Time] in
// UTC, whose methods it has. A time that the API gives as null, "" or not at all is
// the zero Timestamp (IsZero).
//
// It reads ISO 8601 with or without a fraction, a zone ("Z", "+00:00", "+0000";
// none is UTC) or a time of day, and numbers (epoch seconds, or milliseconds where
// they are too large for seconds). It writes RFC 3339, and null when it is zero.
type Timestamp struct{ time.Time }

// NewTimestamp is the Timestamp of t, for request parameters such as
// [ListMessagesParams].Before.
func NewTimestamp(t time.Time) Timestamp { return Timestamp{t.UTC()} }

var errTimestamp = errors.New("a time is neither ISO 8601 nor a number")

// The layouts of what has been seen beside RFC 3339. time.Parse accepts a fraction
// of a second behind any of them.
var timestampLayouts = []string{
	time.RFC3339,
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02",
}

// UnmarshalJSON reads a time; an error says nothing of the text that it could not read.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	switch {
	case string(data) == "null":
		*t = Timestamp{}
		return nil
	case len(data) == 0 || data[0] != '"':
		return t.fromEpoch(data)
	}
	// Nearly all times are RFC 3339, which package time reads without a copy.
	var parsed time.Time
	if parsed.UnmarshalJSON(data) == nil {
		return t.set(parsed)
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return errTimestamp
	}
	if s = strings.TrimSpace(s); s == "" {
		*t = Timestamp{}
		return nil
	}
	if len(s) > 10 && (s[10] == ' ' || s[10] == 't') {
		s = s[:10] + "T" + s[11:]
	}
	if z := len(s) - 1; s[z] == 'z' {
		s = s[:z] + "Z"
	}
	for _, layout := range timestampLayouts {
		if parsed, err := time.Parse(layout, s); err == nil {
			return t.set(parsed)
		}
	}
	return errTimestamp
}

func (t *Timestamp) set(parsed time.Time) error {
	if parsed = parsed.UTC(); parsed.Year() < 0 || parsed.Year() > 9999 {
		return errTimestamp // its zone moved it to where JSON cannot write it
	}
	t.Time = parsed
	return nil
}

// Epoch numbers: a second count has 12 digits only in 5138, a millisecond count
// has had them since 1973.
const firstEpochMillis, lastEpochMillis = 1e11, 253402300799e3 // the latter: the end of 9999

func (t *Timestamp) fromEpoch(data []byte) error {
	var n float64
	if err := json.Unmarshal(data, &n); err != nil || n < 0 || n > lastEpochMillis {
		return errTimestamp
	}
	switch {
	case n == 0:
		*t = Timestamp{}
	case n < firstEpochMillis:
		t.Time = time.UnixMicro(int64(n * 1e6)).UTC()
	default:
		t.Time = time.UnixMicro(int64(n * 1e3)).UTC()
	}
	return nil
}

// MarshalJSON writes RFC 3339 in UTC, or null for the zero Timestamp.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.UTC().MarshalJSON()
}

// EncodeValues writes the time into a query, to the microsecond (the API's own
// precision).
func (t Timestamp) EncodeValues(key string, v *url.Values) error {
	if !t.IsZero() {
		v.Set(key, t.UTC().Format("2006-01-02T15:04:05.999999Z07:00"))
	}
	return nil
}
