package agentphone_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// Seven digits are few, but some countries have such numbers.
func TestParseE164_AcceptsE164(t *testing.T) {
	for _, s := range []string{"+14155551234", "+442079460958", "+6834000", "+1415555", "+123456789012345"} {
		t.Run(s, func(t *testing.T) {
			n, err := agentphone.ParseE164(s)
			require.NoError(t, err)
			assert.Equal(t, s, n.String())
		})
	}
}

func TestParseE164_RefusesAllElse(t *testing.T) {
	for _, s := range []string{"", "+", "14155551234", "+04155551234", "+1 4155551234", "+1-415-555-1234", "(415) 555-1234", "+1234567890123456", "+1415555123a", "+１４１５５５５１２３４", "++14155551234", " +14155551234", "+14155551234\n"} {
		t.Run(s, func(t *testing.T) {
			n, err := agentphone.ParseE164(s)
			var invalid *agentphone.ValidationError
			require.ErrorAs(t, err, &invalid)
			assert.Empty(t, n)
			assert.Equal(t, "agentphone: phone number: not in E.164 form (+ and 7 to 15 digits, such as +14155551234)", err.Error(), "the error does not hold the number")
		})
	}
}

func TestNormalizeE164_ReadsWhatAPersonTypes(t *testing.T) {
	for _, tc := range []struct{ in, code, want string }{
		{"(415) 555-1234", "1", "+14155551234"},
		{"415-555-1234", "1", "+14155551234"},
		{"4155551234", "+1", "+14155551234"},
		{"1 415 555 1234", "1", "+14155551234"},
		{"+1 (415) 555-1234", "44", "+14155551234"},
		{"415.555.1234", "1", "+14155551234"},
		{"415\u00a0555\u20111234", "1", "+14155551234"},
		{"tel:+1-415-555-1234", "1", "+14155551234"},
		{"011 44 20 7946 0958", "1", "+442079460958"},
		{"0044 20 7946 0958", "44", "+442079460958"},
		{"+44 (0)20 7946 0958", "1", "+442079460958"},
		{"020 7946 0958", "44", "+442079460958"},
		{"06 6982 1234", "39", "+390669821234"},
		{"0170 1234567", "49", "+491701234567"},
		{" +14155551234 ", "1", "+14155551234"},
		{"0049 (0)30 901820", "1", "+4930901820"},
		{"011 44 (0)20 7946 0958", "1", "+442079460958"},
		{"+39 (0)6 698 12345", "1", "+390669812345"},
		{"8 (495) 123-45-67", "7", "+74951234567"},
		{"(495) 123-45-67", "7", "+74951234567"},
		{"800 555 35 35", "7", "+78005553535"},
		{"06 1 234 5678", "36", "+3612345678"},
		{"07 07 12 34 56", "225", "+2250707123456"},
		{"0549 882914", "378", "+3780549882914"},
		{"06 612 3456", "242", "+242066123456"},
	} {
		t.Run(tc.in+" in "+tc.code, func(t *testing.T) {
			got, err := agentphone.NormalizeE164(tc.in, tc.code)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got.String())
		})
	}
}

func TestNormalizeE164_RefusesWhatItWouldHaveToGuess(t *testing.T) {
	for _, tc := range []struct{ in, code string }{
		{"", "1"}, {"555-1234", "1"}, {"415 555 12345", "1"}, {"1-800-FLOWERS", "1"}, {"415-555-1234 x5", "1"},
		{"415-555-1234;ext=5", "1"}, {"1+4155551234", "1"}, {"４１５5551234", "1"}, {"+", "1"}, {"+0", "1"},
		{"4155551234", ""}, {"4155551234", "0"}, {"4155551234", "US"}, {"4155551234", "1234"}, {"00", "44"},
		{"+1 555-1234", "1"}, {"+1 415 555 12345", "44"}, {"0011 415 555 1234", "44"},
	} {
		t.Run(tc.in+" in "+tc.code, func(t *testing.T) {
			got, err := agentphone.NormalizeE164(tc.in, tc.code)
			require.ErrorIs(t, err, agentphone.ErrValidation)
			assert.Empty(t, got)
		})
	}
}

func TestE164Redacted_KeepsTheNumberPrivate(t *testing.T) {
	for n, want := range map[agentphone.E164]string{
		"+14155551234": "+1415***1234", "+442079460958": "+4420***0958", "+6834000": "***00", "+6591234567": "***67", "": "", "+1": "***",
	} {
		t.Run(string(n), func(t *testing.T) { assert.Equal(t, want, n.Redacted()) })
	}
}

func FuzzNormalizeE164(f *testing.F) {
	for _, in := range []string{"(415) 555-1234", "+44 (0)20 7946 0958", "011 44", "tel:", "+", "00", "\xff"} {
		f.Add(in, "1")
		f.Add(in, "44")
	}
	f.Fuzz(func(t *testing.T, in, code string) {
		n, err := agentphone.NormalizeE164(in, code)
		if err != nil {
			return
		}
		if again, err := agentphone.ParseE164(string(n)); err != nil || again != n {
			t.Fatalf("%q, %q: %q is not E.164", in, code, n)
		}
		if again, err := agentphone.NormalizeE164(string(n), code); err != nil || again != n {
			t.Fatalf("%q, %q: %q is normalized again to %q, %v", in, code, n, again, err)
		}
	})
}
