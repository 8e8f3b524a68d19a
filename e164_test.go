package agentphone_test

import (
	"strconv"
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
		{"+353 (0)1 234 5678", "1", "+35312345678"},
		{"+7 (0)495 123-45-67", "1", "+74951234567"},
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

// A 0 in parentheses is dropped only where it can be the prefix: after the country code.
func TestNormalizeE164_DropsNoDigitOfTheNumber(t *testing.T) {
	for _, tc := range []struct{ in, code, want string }{
		{"+44 791112(0)3456", "1", "+4479111203456"},
		{"+44 7(0)911123456", "1", "+4470911123456"},
		{"+4 (0)20 7946 0958", "1", "+402079460958"}, // 40 is a country code, 4 is none
		{"+44 20 7946 (0)958", "1", "+442079460958"},
		{"0044 20 7946 (0)958", "1", "+442079460958"},
		{"+1 415 555 (0)123", "44", "+14155550123"},
		{"+353 1(0)1 234 567", "1", "+353101234567"},
		{"+7 916 (0)12 34 56", "1", "+79160123456"},
		{"+44 (0)20 7946 (0)958", "1", "+442079460958"},
		{"020 7946 (0)958", "44", "+442079460958"},
	} {
		t.Run(tc.in, func(t *testing.T) {
			got, err := agentphone.NormalizeE164(tc.in, tc.code)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got.String())
		})
	}
}

// Address books, web pages and chats put invisible characters around numbers, and keyboards of East Asia have digits of their own.
func TestNormalizeE164_ReadsWhatAPersonPastes(t *testing.T) {
	for _, invisible := range []string{
		"\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2060", "\u2066", "\u2067", "\u2068", "\u2069",
		"\ufeff", "\u061c", "\u00ad",
	} {
		for _, in := range []string{
			invisible + "+1 415 555 1234", "+1 415" + invisible + " 555 1234", "+1 415 555 1234" + invisible, invisible + " tel:" + invisible + "+1-415-555-1234 ",
			invisible + "(" + invisible + "415) 555-1234", "+" + invisible + "1 (" + invisible + "0) 415 555 1234",
		} {
			t.Run(strconv.QuoteToASCII(in), func(t *testing.T) {
				got, err := agentphone.NormalizeE164(in, "1")
				require.NoError(t, err)
				assert.Equal(t, "+14155551234", got.String())
			})
		}
	}
	for _, tc := range []struct{ in, code, want string }{
		{"\u202a+14155551234\u202c", "1", "+14155551234"}, // Apple Contacts
		{"(+1) 415 555 1234", "44", "+14155551234"},
		{"(+44) 20 7946 0958", "1", "+442079460958"},
		{"(+44) (0)20 7946 0958", "1", "+442079460958"},
		{"(+44)(0)20 7946 0958", "1", "+442079460958"},
		{"( +44 ) 20 7946 0958", "1", "+442079460958"},
		{"+(44) 20 7946 0958", "1", "+442079460958"},
		{"(00 44) 20 7946 0958", "1", "+442079460958"},
		{"（+44）20 7946 0958", "1", "+442079460958"},
		{"４１５5551234", "1", "+14155551234"},
		{"＋１（４１５）５５５－１２３４", "81", "+14155551234"},
		{"０３－１２３４－５６７８", "81", "+81312345678"},
		{"+81\u3000(0)3\u30001234\u30005678", "1", "+81312345678"},
		{"01 97 12 34 56", "229", "+2290197123456"}, // since 2024 in Benin the 0 is part of the number
	} {
		t.Run(strconv.QuoteToASCII(tc.in)+" in "+tc.code, func(t *testing.T) {
			got, err := agentphone.NormalizeE164(tc.in, tc.code)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got.String())
		})
	}
}

// In North America area codes and exchanges begin with 2 to 9, so that a number of another country is not taken for one.
func TestNormalizeE164_RefusesWhatCannotBeANumberOfTheCountryCode(t *testing.T) {
	for _, tc := range []struct{ in, code string }{
		{"06 12 34 56 78", "1"}, {"0412 345 678", "1"}, {"1412 345 678", "1"}, {"415 055 1234", "1"}, {"415 155 1234", "1"},
		{"1 015 555 1234", "1"}, {"+1 115 555 1234", "44"}, {"+1 (415) 155-1234", "44"}, {"001 415 012 3456", "44"}, {"011 1 415 012 3456", "1"},
	} {
		t.Run(tc.in+" in "+tc.code, func(t *testing.T) {
			got, err := agentphone.NormalizeE164(tc.in, tc.code)
			require.ErrorIs(t, err, agentphone.ErrValidation)
			assert.Empty(t, got)
			assert.NotContains(t, err.Error(), "41")
		})
	}
	for _, in := range []string{"212 255 0199", "929 999 9999"} {
		_, err := agentphone.NormalizeE164(in, "1")
		assert.NoError(t, err, in)
	}
}

func TestNormalizeE164_RefusesWhatItWouldHaveToGuess(t *testing.T) {
	for _, tc := range []struct{ in, code string }{
		{"", "1"}, {"555-1234", "1"}, {"415 555 12345", "1"}, {"1-800-FLOWERS", "1"}, {"415-555-1234 x5", "1"},
		{"415-555-1234;ext=5", "1"}, {"1+4155551234", "1"}, {"415 ٥٥٥ 1234", "1"}, {"+", "1"}, {"+0", "1"},
		{"4155551234", ""}, {"4155551234", "0"}, {"4155551234", "US"}, {"4155551234", "1234"}, {"00", "44"},
		{"+1 555-1234", "1"}, {"+1 415 555 12345", "44"}, {"0011 415 555 1234", "44"},
		{"++14155551234", "1"}, {"(+1) +415 555 1234", "1"}, {"(+)", "1"}, {"\u200b", "1"}, {"415\u0000555 1234", "1"}, {"415\ufffd5551234", "1"},
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
	for _, in := range []string{"(415) 555-1234", "+44 (0)20 7946 0958", "011 44", "tel:", "+", "00", "\xff", "(+44) 20 7946 0958", "\u202a+14155551234\u202c", "＋１（４１５）５５５－１２３４", "06 12 34 56 78"} {
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
