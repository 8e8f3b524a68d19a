package transport

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the rows of the table in docs/retries.md mean. The row of a 2xx that was received whole is not here: response.go
// decides on that.
var rows = map[string]outcome{
	"no connection was made": {failed: true, notSent: true},
	"HTTP/2: the stream was refused, or the connection was going away": {failed: true, notSent: true},
	"429": {status: 429},
	"429 with a code that waiting does not clear": {status: 429, permanent: true},
	"503 with Retry-After":                        {status: 503, retryAfter: true},
	"503 without":                                 {status: 503},
	"408":                                         {status: 408},
	"460":                                         {status: 460},
	"499":                                         {status: 499},
	"500":                                         {status: 500},
	"501":                                         {status: 501},
	"502":                                         {status: 502},
	"504":                                         {status: 504},
	"the connection broke after the request was sent": {failed: true},
	"no response in time":                             {failed: true},
	"a 2xx whose body broke off":                      {failed: true},
	"a status below 200":                              {status: 99},
	"a 2xx over 16 MiB":                               {failed: true, permanent: true},
	"302":                                             {status: 302},
	"303":                                             {status: 303},
	"any other 3xx":                                   {status: 307},
	"400":                                             {status: 400},
	"401":                                             {status: 401},
	"404":                                             {status: 404},
	"409":                                             {status: 409},
	"422":                                             {status: 422},
	"an invalid certificate":                          {failed: true, notSent: true, permanent: true},
	"a host that does not exist":                      {failed: true, notSent: true, permanent: true},
}

// TestRetryDecide_IsTheTableOfTheDocs holds decide and docs/retries.md against each other, row by row, both ways.
func TestRetryDecide_IsTheTableOfTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/retries.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(page), "| what happened | idempotent | not idempotent |\n")
	require.True(t, found)
	words := map[verdict]string{{retry: true}: "retried", {outcomeUnknown: true}: "unknown", {}: "error"}
	seen := 0
	for line := range strings.SplitSeq(table, "\n") {
		if strings.HasPrefix(line, "|---") {
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			break
		}
		row := strings.TrimSpace(cells[1])
		if row == "a 2xx that is not JSON" {
			continue
		}
		seen++
		t.Run(row, func(t *testing.T) {
			o, known := rows[row]
			require.True(t, known)
			assert.Equal(t, strings.TrimSpace(cells[2]), words[decide(o, true)], "idempotent")
			assert.Equal(t, strings.TrimSpace(cells[3]), words[decide(o, false)], "not idempotent")
		})
	}
	assert.Equal(t, len(rows), seen, "each row stands in the table")
}

// A status that is none of HTTP's, or of a response that is not final, says nothing of what was done.
func TestRetryDecide_StatusBelow200IsUnknown(t *testing.T) {
	for status := range 200 {
		assert.Equal(t, verdict{outcomeUnknown: true}, decide(outcome{status: status}, false), "%d", status)
		assert.Equal(t, verdict{retry: true}, decide(outcome{status: status}, true), "%d", status)
	}
}

// Whatever the status, a request that is not idempotent is never both retried and perhaps done.
func TestRetryDecide_NeverRetriesIfTheOutcomeIsUnknown(t *testing.T) {
	for status := range 1000 {
		for _, o := range []outcome{{status: status}, {status: status, retryAfter: true}} {
			v := decide(o, false)
			assert.False(t, v.retry && v.outcomeUnknown, "%+v", o)
			assert.False(t, decide(o, true).outcomeUnknown, "%+v", o)
		}
	}
	for _, o := range []outcome{{failed: true}, {failed: true, permanent: true}} {
		assert.Equal(t, verdict{outcomeUnknown: true}, decide(o, false), "%+v", o)
	}
}
