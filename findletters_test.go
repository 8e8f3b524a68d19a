package agentphone_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

// What a list shows may be what a carrier made of the text, in several ways at once: nobody can tell, so it is not sent again.
func TestWithIdempotencyKey_TextThatMayBeTheEffectIsNotSentAgain(t *testing.T) {
	const stop = "Reply STOP to opt out"
	long := strings.Repeat("words ", 300)
	cafes := strings.Repeat("caf\u00e9 ", 60)
	table := "Your table for four at Chez Panisse is booked for tomorrow night at eight"
	for name, tc := range map[string]struct{ sent, listed string }{
		"a line more":                            {"hi", "hi\n" + stop},
		"a line more, after CRLF":                {"hi", "hi\r\n" + stop},
		"a line more, after a space":             {"hi", "hi \n" + stop},
		"a line more, and one that is empty":     {"hi", "hi\n\n" + stop},
		"a line separator and a line more":       {"hi", "hi\u2028" + stop},
		"a line before":                          {"hi", "From Acme:\nhi"},
		"a line before and one after":            {"hi", "From Acme:\nhi\n" + stop},
		"more on its line":                       {"Your table is booked.", "Your table is booked. " + stop},
		"more before it on its line":             {"Your table is booked.", "Acme: Your table is booked."},
		"other white space, and a line more":     {"hi  there", "hi there\n" + stop},
		"other quotation marks and a line more":  {"It\u2019s on \u2014 now", "It's on - now\n" + stop},
		"escaped as HTML, and a line more":       {"Tom & Jerry", "Tom &amp; Jerry\n" + stop},
		"its end gone":                           {long, long[:1600]},
		"its end gone, early":                    {long, long[:100]},
		"an ellipsis for its end":                {long, long[:1600] + "\u2026"},
		"three dots for its end":                 {long, long[:157] + "..."},
		"a line for its end":                     {long, long[:157] + "\n" + stop},
		"an ellipsis and a line for its end":     {long, long[:157] + "...\r\n" + stop},
		"an ellipsis where a line ended":         {"Your table is booked.\nSee you.", "Your table is booked...\n" + stop},
		"a line before, and its end gone":        {long, "From Acme:\n" + long[:157]},
		"words before, and its end gone":         {long, "(1/12) " + long[:157]},
		"its beginning gone":                     {"From Acme:\nYour table is booked.", "Your table is booked."},
		"its beginning gone, and a line more":    {"From Acme:\nYour table is booked.", "Your table is booked.\n" + stop},
		"its accents gone":                       {"Un caf\u00e9 \u00e0 Orl\u00e9ans", "Un cafe a Orleans"},
		"its accents gone, and a line more":      {"Un caf\u00e9", "Un cafe\n" + stop},
		"its accents gone, and lines around it":  {"Un caf\u00e9", "Acme:\nUn cafe\n" + stop},
		"its accents and its end gone":           {cafes, strings.Repeat("cafe ", 32)},
		"its accents gone, and dots for its end": {cafes, strings.Repeat("cafe ", 32) + "...\n" + stop},
		"another form of Unicode":                {"Un caf\u00e9 au lait", "Un cafe\u0301 au lait"},
		"another form, and a line more":          {"Un cafe\u0301", "Un caf\u00e9\n" + stop},
		"an accent for all there is":             {"\u1eea", "U\n" + stop},
		"its emoji gone":                         {"See you \U0001F44B", "See you ?"},
		"its emoji gone, and a line more":        {"See you \U0001F44B", "See you ?\n" + stop},
		"question marks and letters for letters": {"Hi \u7f8e\u54b2! Your caf\u00e9 order is ready", "Hi ??! Your cafe order is ready"},
		"question marks and symbols spelled out": {"\u0415\u043b\u0435\u043d\u0430, it costs 5 \u20ac today at noon", "?????, it costs 5 EUR today at noon"},
		"question marks only, and a line more":   {"\u0412\u0430\u0448 \u0441\u0442\u043e\u043b\u0438\u043a \u0437\u0430\u0431\u0440\u043e\u043d\u0438\u0440\u043e\u0432\u0430\u043d", "??? ?????? ????????????\n" + stop},
		"question marks only, and a line before": {"\u0412\u0430\u0448 \u0441\u0442\u043e\u043b\u0438\u043a", "Acme:\n??? ??????"},
		"an emoji, and a line more":              {"\U0001F44D", "\U0001F44D\n" + stop},
		"an emoji gone, and a line more":         {"\U0001F44D", "?\n" + stop},
		"a non-breaking hyphen":                  {"9\u201110 today", "9-10 today"},
		"German quotation marks":                 {"\u201eja\u201c \u00abnein\u00bb", `"ja" <<nein>>`},
		"no words":                               {"hi", ""},
		"an ellipsis and words for its end":      {table, "Your table for four... " + stop},
		"other words for its end":                {table, "Your table for four at Chez Panisse is booked for tom " + stop},
		"words before, and an ellipsis":          {table, "Acme: Your table for four... " + stop},
		"words before, and its end gone, early":  {table, "Acme: Your table for four at Chez Panisse is bo"},
		"its beginning gone, and words more":     {"From Acme:\nYour table is booked.", "Your table is booked. " + stop},
		"another line for its first":             {"From Acme:\nYour table is booked.", "ACME Inc:\nYour table is booked."},
		"another line for its first, and a cut":  {"From Acme:\n" + table, "ACME Inc:\nYour table for four... " + stop},
		"an okina gone":                          {"Aloha from Hawai\u02bbi", "Aloha from Hawaii"},
		"symbols for words":                      {"Acme\u2122 \u00a9: 5 \u20ac, 20 \u00b0C, 3 \u00b5g \u2260 \u2116 4", "Acme(TM) (c): 5 EUR, 20 degC, 3 ug /= No 4"},
		"other digits":                           {"code \uff11\u0662", "code 12"},
		"full-width letters":                     {"\uff28\uff29 you", "HI you"},
		"letters of mathematics":                 {"\U0001d5d5\U0001d5fc\U0001d5fc\U0001d5f8\U0001d5f2\U0001d5f1 for 8", "Booked for 8"},
		"Greek without accents":                  {"Καλημέρα, το τραπέζι σας είναι έτοιμο", "Καλημερα, το τραπεζι σας ειναι ετοιμο"},
		"Greek in capitals":                      {"Καλημέρα, το τραπέζι σας", "ΚΑΛΗΜΕΡΑ, ΤΟ ΤΡΑΠΕΖΙ ΣΑΣ"},
		"Greek in another form of Unicode":       {"\u03ac\u03bb\u03c6\u03b1", "\u03b1\u0301\u03bb\u03c6\u03b1"},
		"Russian without its dots":               {"Всё готово", "Все готово"},
		"Russian in another form of Unicode":     {"Ваш ча\u0439 готов", "Ваш ча\u0438\u0306 готов"},
		"Russian as question marks":              {"Ваш чай готов в 8", "??? ??? ????? ? 8"},
		"Korean in another form of Unicode":      {"\uc548\ub155", "\u110b\u1161\u11ab\u1102\u1167\u11bc"},
		"Japanese in another form of Unicode":    {"\u304c\u3093\u3070", "\u304b\u3099\u3093\u306f\u3099"},
		"Arabic in another form of Unicode":      {"\u0623\u0646\u0627", "\u0627\u0654\u0646\u0627"},
		"Hindi in another form of Unicode":       {"\u095c\u0915", "\u0921\u093c\u0915"},
		"decomposed, and a question mark":        {"Un cafe\u0301 au lait", "Un caf? au lait"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				assertNotSentAgain(t, sendBody(tc.sent),
					item{"id": "x", "to": "+14155550123", "body": tc.listed, "direction": "outbound", "receivedAt": time.Now()})
			})
		})
	}
}

func sendBody(body string) func(context.Context, *agentphone.Client) error {
	return func(ctx context.Context, c *agentphone.Client) error {
		_, err := c.Messages.Send(ctx, agentphone.SendMessageParams{NumberID: "num_1", ToNumber: "+14155550123", Body: body}, key("k"))
		return err
	}
}

// Another text to the same person is no doubt: the request is sent again, for it had no effect.
func TestWithIdempotencyKey_OtherTextsAreNoDoubt(t *testing.T) {
	for sent, listed := range map[string]string{
		"Your code is 1042":                "Your code is 1043",
		"hi":                               "hi there",
		"Un caf\u00e9 \u00e0 Orl\u00e9ans": "Un th\u00e9 \u00e0 Orl\u00e9ans",
		"\u4f60\u597d":                     "\u518d\u89c1",
		"\U0001F44D\u2764\ufe0f":           "Thanks\nAda",
		"hi 2":                             "hi\nReply STOP to opt out",
		"is that":                          "Is that ok?\nTell me",
		"there":                            "hi there",
		"hi there":                         "hi",
		"\U0001F44D":                       "Thanks\nAda",
		"Good morning Ada.\nYour appointment is on Monday.\nBest wishes, Acme": "Good morning Ada.\nYour invoice is attached.\nBest wishes, Acme",
		"Good morning Ada.\nYour appointment is on Monday.":                    "Good morning Ada.\nYour invoice is attached.",
		"See you tomorrow morning at nine":                                     "Sounds good, see you tomorrow",
		"Your verification code is 1042":                                       "Your verification code is 10421",
		"ok":                                                                   "L'\u00e9t\u00e9 \u00e0 l'\u00e9cole de la Corr\u00e8ze, \u00e0 pied ou \u00e0 v\u00e9lo, ok",
	} {
		t.Run(sent, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				posts, again := callTwice(t, sendBody(sent),
					item{"id": "y", "to": "+14155550123", "body": listed, "direction": "outbound", "receivedAt": time.Now()})
				require.ErrorIs(t, again, agentphone.ErrOutcomeUnknown, "its response is lost, too")
				assert.Equal(t, 2, posts)
			})
		})
	}
}

// Texts of one language that say different things are different, short or long, whatever their accents.
func TestMessagesFindSent_TextsThatSayOtherThingsAreNoDoubt(t *testing.T) {
	texts := []string{
		"ok", "Yes, see you then", "See you tomorrow morning at nine", "Sounds good, see you tomorrow", "Is this still available?", "Where are you?",
		"Your table for four at Chez Panisse is booked for tomorrow night at eight.",
		"Your package was delivered at 2:14 PM. Track it at https://example.com/t/a8f3",
		"Hi Ada, your appointment with Dr. Smith is on Monday at 9:30. Reply C to confirm.",
		"Hi Ada,\nyour car is ready for pickup... We close at 6.\nBest wishes, Acme", "Hi Ada,\nthe plumber comes between 1 and 3.\nBest wishes, Acme",
		"Thank you for your order! It will ship within two days.", "Thank you for your patience. An agent will be with you shortly.",
		"Votre table est réservée pour demain soir à huit heures.", "Votre code de vérification est 1042. Ne le partagez pas.", "Ça va ?", "D'accord, à demain",
		"Bàn của bạn đã được đặt cho tối mai lúc tám giờ.", "Mã xác minh của bạn là 1042. Đừng chia sẻ với bất kỳ ai.", "Bạn đang ở đâu?", "Vâng ạ",
		"Το τραπέζι σας είναι κρατημένο για αύριο το βράδυ στις οκτώ.", "Το δέμα σας παραδόθηκε στις 14:14.", "Πού είσαι;", "Ναι",
		"Ваш столик забронирован на завтра на восемь вечера.", "Ваш код подтверждения 1042. Никому его не сообщайте.", "Где ты?", "Да",
		"내일 저녁 여덟 시에 테이블이 예약되었습니다.", "택배가 14시 14분에 배달되었습니다.", "어디예요?", "네",
		"明日の夜八時にテーブルをご予約いただきました。", "コーヒーとケーキのセットはいかがですか。", "いまどこ?", "はい",
	}
	for at, sent := range texts {
		items := []item{}
		for i, body := range texts {
			if i != at {
				items = append(items, item{"id": fmt.Sprint(i), "to": "+14155550123", "body": body, "direction": "outbound", "receivedAt": time.Now()})
			}
		}
		page, err := json.Marshal(item{"data": items, "hasMore": false})
		require.NoError(t, err)
		c, _ := apitest.NewClient(t, apitest.Always(200, string(page)))
		found, err := c.Messages.FindSent(t.Context(), agentphone.SendMessageParams{NumberID: "num_1", ToNumber: "+14155550123", Body: sent}, time.Now())
		require.NoError(t, err, sent)
		assert.Empty(t, found, sent)
	}
}
