package agentphone

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"
)

// Timestamp is a time in requests and responses: a [time.Time] in UTC. It is zero, and IsZero returns true, if a
// response has null or "" for it, or has not got it.
//
// It is decoded from the formats that the API uses: ISO 8601 with or without a time of day, a fraction of a second and
// a zone (a time without a zone is UTC), or a number of seconds since 1970 (from 1e11 on, of milliseconds). It is
// encoded as RFC 3339, or as null if it is zero.
type Timestamp struct{ time.Time }

// NewTimestamp returns t as a Timestamp in UTC, for parameters such as [ListMessagesParams].Before.
func NewTimestamp(t time.Time) Timestamp { return Timestamp{t.UTC()} }

// maxTimestamp is the length of the longest time that is parsed, in bytes, with all its characters escaped. Package
// time copies a text that it cannot parse, once for each layout.
const maxTimestamp = 300

var errTimestamp = errors.New("a time is neither ISO 8601 nor a number")

// timestampLayouts are the layouts that the API has been seen to use. time.Parse accepts a fraction of a second in all
// of them.
var timestampLayouts = []string{
	time.RFC3339,
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02",
}

// UnmarshalJSON decodes a time. Its error does not quote what is not a time.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	switch {
	case string(data) == "null":
		*t = Timestamp{}
		return nil
	case len(data) > maxTimestamp:
		return errTimestamp
	case len(data) == 0 || data[0] != '"':
		return t.fromEpoch(data)
	}
	// Nearly all times are RFC 3339, which package time parses without an allocation.
	var parsed time.Time
	if len(data) > len(`""`) && parsed.UnmarshalJSON(data) == nil {
		return t.set(parsed)
	}
	s := string(data[1 : len(data)-1])
	if strings.Contains(s, `\`) && json.Unmarshal(data, &s) != nil {
		return errTimestamp
	}
	if s = strings.TrimSpace(s); s == "" || s == "None" { // as Python prints null
		*t = Timestamp{}
		return nil
	}
	if len(s) < len("2006-01-02") {
		return errTimestamp
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
		return errTimestamp // RFC 3339 has four digits for the year
	}
	t.Time = parsed
	return nil
}

// A number from firstEpochMillis on is milliseconds: as such it is 1973 or later, as seconds it would be the year 5138.
// lastEpochMillis is the last second of the year 9999.
const firstEpochMillis, lastEpochMillis = 1e11, 253402300799e3

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

// MarshalJSON encodes the time as RFC 3339 in UTC, or as null if it is zero.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.UTC().MarshalJSON()
}

// EncodeValues sets key to the time in RFC 3339 with microseconds, the precision of the API, unless it is zero. It
// implements Encoder of github.com/google/go-querystring.
func (t Timestamp) EncodeValues(key string, v *url.Values) error {
	if !t.IsZero() {
		v.Set(key, t.UTC().Format("2006-01-02T15:04:05.999999Z07:00"))
	}
	return nil
}
