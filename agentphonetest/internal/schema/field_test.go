package schema_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

func TestFormats_AcceptAndRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		format       func(string) string
		valid, wrong []string
	}{
		"email":     {schema.Email, []string{"ada@example.com"}, []string{"", "ada", "@example.com", "ada@localhost", "a b@example.com", "a@b@example.com"}},
		"URL":       {schema.URL, []string{"https://example.com", "http://example.com/a?b=c"}, []string{"", "ftp://example.com", "https://", "https:///a", "https://a b", "/a"}},
		"https":     {schema.HTTPS, []string{"https://example.com/a"}, []string{"", "http://example.com", "https://", "ftp://example.com"}},
		"time zone": {schema.TimeZone, []string{"UTC", "America/New_York"}, []string{"Moon", "Local"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range c.valid {
				assert.Empty(t, c.format(s), s)
			}
			for _, s := range c.wrong {
				assert.NotEmpty(t, c.format(s), s)
			}
		})
	}
}

func TestField_MethodsReturnACopy(t *testing.T) {
	field := schema.Text("f")
	_ = field.Required().Nullable().Min(5)
	_, problems := schema.Fields{field}.ParseBody("application/json", []byte(`{"f":"a"}`))
	assert.Empty(t, problems)
	_, problems = schema.Fields{field}.ParseBody("application/json", []byte(`{}`))
	assert.Empty(t, problems)
}

func TestOneOf_EnumeratesWords(t *testing.T) {
	assert.Equal(t, "'a'", schema.OneOf([]string{"a"}))
	assert.Equal(t, "'a' or 'b'", schema.OneOf([]string{"a", "b"}))
	assert.Equal(t, "'a', 'b' or 'c'", schema.OneOf([]string{"a", "b", "c"}))
}
