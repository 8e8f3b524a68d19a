package agentphone_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestTimestamp_ReadsWhatTheAPIWrites(t *testing.T) {
	at := time.Date(2026, 4, 19, 17, 20, 11, 0, time.UTC)
	for in, want := range map[string]time.Time{
		`"2026-04-19T17:20:11Z"`:             at,
		`"2026-04-19t17:20:11z"`:             at,
		`"2026-04-19T19:20:11+02:00"`:        at,
		`"2026-04-19T17:20:11+0000"`:         at,
		`"2026-04-19T17:20:11+00"`:           at,
		`"2026-04-19T17:20:11"`:              at,
		`"2026-04-19 17:20:11"`:              at,
		`"2026-04-19 17:20:11+00:00"`:        at,
		`" 2026-04-19T17:20:11Z "`:           at,
		`"2026-04-19T17:20:11.123456"`:       at.Add(123456 * time.Microsecond),
		`"2026-04-19T17:20:11.5Z"`:           at.Add(500 * time.Millisecond),
		`"2026-04-19T17:20"`:                 at.Add(-11 * time.Second),
		`"2026-04-19"`:                       time.Date(2026, 4, 19, 0, 0, 0, 0, time.UTC),
		fmt.Sprint(at.Unix()):                at,
		fmt.Sprint(at.UnixMilli()):           at,
		fmt.Sprintf("%d.25", at.Unix()):      at.Add(250 * time.Millisecond),
		fmt.Sprintf("%de0", at.UnixMilli()):  at,
		`null`:                               {},
		`""`:                                 {},
		`"  "`:                               {},
		`0`:                                  {},
		`"\u0032026-04-19T17:20:11\u005a"`:   at,
		`"2026-04-19T17:20:11.123456789012"`: at.Add(123456789),
	} {
		t.Run(in, func(t *testing.T) {
			got := agentphone.NewTimestamp(time.Unix(1, 0)) // null must overwrite it
			require.NoError(t, json.Unmarshal([]byte(in), &got))
			assert.True(t, got.Equal(want), "got %s", got)
			assert.Equal(t, time.UTC, got.Location())
		})
	}
}

func TestTimestamp_RefusesWhatIsNoTime(t *testing.T) {
	for _, in := range []string{`"soon"`, `"2026-13-01T00:00:00Z"`, `true`, `{}`, `[]`, `-1`, `1e300`, `"T"`, `"0000-01-01T00:00:00+00:01"`, `"9999-12-31T23:59:59-00:01"`, `"2026-04-19X17:20:11"`} {
		t.Run(in, func(t *testing.T) {
			var got agentphone.Timestamp
			assert.Error(t, json.Unmarshal([]byte(in), &got))
		})
	}
}

func TestTimestamp_WritesRFC3339OrNull(t *testing.T) {
	zone := time.FixedZone("", 7200)
	ts := agentphone.NewTimestamp(time.Date(2026, 4, 19, 19, 20, 11, 500, zone))
	assert.Equal(t, `"2026-04-19T17:20:11.0000005Z"`, apitest.JSON(t, ts))
	assert.Equal(t, `null`, apitest.JSON(t, agentphone.Timestamp{}))
	assert.Equal(t, `{}`, apitest.JSON(t, struct {
		At agentphone.Timestamp `json:"at,omitzero"`
	}{}))
}

func FuzzTimestamp(f *testing.F) {
	for _, in := range []string{`"2026-04-19T17:20:11Z"`, `"2026-04-19 17:20:11.123"`, `1776619211`, `1776619211000`, `null`, `""`, `"z"`, `1e99`, `"2026-04-19"`, `"0000-01-01T00:00:00+00:01"`, `"9999-12-31T23:59:59-00:01"`} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var first, second agentphone.Timestamp
		if !json.Valid(in) || json.Unmarshal(in, &first) != nil {
			return
		}
		out, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("%q decodes to %v, which cannot be encoded: %v", in, first, err)
		}
		if err := json.Unmarshal(out, &second); err != nil || !first.Equal(second.Time) {
			t.Fatalf("%q: %v is encoded as %s, which decodes to %v, %v", in, first, out, second, err)
		}
	})
}
