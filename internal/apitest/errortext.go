package apitest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/agentphone/agentphone-go"
	"github.com/stretchr/testify/require"
)

// JSON encodes v.
func JSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// CheckErrorText fails the test if err is none of the errors about a response, or its text is no short, clean line without the key.
func CheckErrorText(t testing.TB, err error) {
	t.Helper()
	var answered *agentphone.APIError
	var unread *agentphone.DecodeError
	if !errors.As(err, &answered) && !errors.As(err, &unread) {
		t.Fatalf("%T: %v", err, err)
	}
	if text := err.Error(); len(text) > 2000 || strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, Key) {
		t.Fatalf("the text of the error: %q", text)
	}
}
