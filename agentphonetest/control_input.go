package agentphonetest

import (
	"net/http"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

// The bodies of the control handler's requests. control.openapi.json describes them.

type controlNothing struct{}

type controlMessage struct {
	From      string             `json:"from"`
	To        string             `json:"to"`
	Body      string             `json:"body"`
	MediaURLs []string           `json:"mediaUrls"`
	Channel   agentphone.Channel `json:"channel"`
	ReplyTo   string             `json:"replyTo"`
}

func (p *controlMessage) check() error {
	if err := checkPerson(p.From); err != nil {
		return err
	}
	if p.Body == "" && len(p.MediaURLs) == 0 {
		return misuse("body or mediaUrls is required")
	}
	return oneOf("channel", p.Channel, "", agentphone.ChannelSMS, agentphone.ChannelMMS, agentphone.ChannelIMessage, agentphone.ChannelWhatsApp)
}

type controlReaction struct {
	From     string                  `json:"from"`
	Reaction agentphone.ReactionType `json:"reaction"`
}

type controlContact struct {
	From string         `json:"from"`
	To   string         `json:"to"`
	Card map[string]any `json:"card"`
}

type controlCall struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type controlTurn struct {
	Text string `json:"text"`
}

type controlScript struct {
	Turns []struct {
		Role    agentphone.TranscriptRole `json:"role"`
		Content string                    `json:"content"`
	} `json:"turns"`
	DurationMs        int64                 `json:"durationMs"`
	Status            agentphone.CallStatus `json:"status"`
	TranscriptDelayMs int64                 `json:"transcriptDelayMs"`
}

func (p *controlScript) script() (script CallScript, err error) {
	script.Status = p.Status
	if p.Status != "" && !p.Status.Final() {
		return script, misuse("status cannot be %q: it is that of a call that is over", p.Status)
	}
	for _, turn := range p.Turns {
		if err := oneOf("role", turn.Role, agentphone.RoleAgent, agentphone.RoleUser); err != nil {
			return script, err
		}
		script.Turns = append(script.Turns, Utterance{turn.Role, turn.Content})
	}
	if script.Duration, err = millis("durationMs", p.DurationMs, 0, maxControlMillis); err != nil {
		return script, err
	}
	script.TranscriptDelay, err = millis("transcriptDelayMs", p.TranscriptDelayMs, 0, maxControlMillis)
	return script, err
}

type controlFault struct {
	Operation    string      `json:"operation"`
	Matching     string      `json:"matching"`
	Every        int         `json:"every"`
	Status       int         `json:"status"`
	Header       http.Header `json:"header"`
	Code         string      `json:"code"`
	Body         string      `json:"body"`
	DelayMs      int64       `json:"delayMs"`
	Reset        bool        `json:"reset"`
	BeforeEffect bool        `json:"beforeEffect"`
	AfterEffect  bool        `json:"afterEffect"`
	Times        int         `json:"times"`
}

func (p *controlFault) fault() (Fault, error) {
	if p.Status != 0 && (p.Status < 200 || p.Status > 599) {
		return Fault{}, misuse("status must be from 200 to 599, or 0")
	}
	delay, err := millis("delayMs", p.DelayMs, 0, maxControlMillis)
	return Fault{
		Operation: p.Operation, Matching: p.Matching, Every: p.Every, Status: p.Status, Header: p.Header, Code: p.Code,
		Body: p.Body, Delay: delay, Reset: p.Reset, BeforeEffect: p.BeforeEffect, AfterEffect: p.AfterEffect, Times: p.Times,
	}, err
}

// controlSettings changes what is not nil.
type controlSettings struct {
	Echoes            *bool    `json:"echoes"`
	RateLimits        *bool    `json:"rateLimits"`
	PaymentMethod     *bool    `json:"paymentMethod"`
	Ringing           *bool    `json:"ringing"`
	NumberLimit       *int     `json:"numberLimit"`
	EndDelayMs        *int64   `json:"endDelayMs"`
	ListDelayMs       *int64   `json:"listDelayMs"`
	DeliveryTimeoutMs *int64   `json:"deliveryTimeoutMs"`
	DeliveryPausesMs  *[]int64 `json:"deliveryPausesMs"`
}

func (p *controlSettings) apply(to *settings) error {
	if p.Echoes != nil {
		to.echoes = *p.Echoes
	}
	if p.RateLimits != nil {
		to.rateLimits = *p.RateLimits
	}
	if p.PaymentMethod != nil {
		to.noPayment = !*p.PaymentMethod
	}
	if p.Ringing != nil {
		to.ringing = *p.Ringing
	}
	if p.NumberLimit != nil {
		if *p.NumberLimit < 0 {
			return misuse("numberLimit is negative")
		}
		to.numberLimit = *p.NumberLimit
	}
	for _, d := range []struct {
		name  string
		given *int64
		least int64
		to    *time.Duration
	}{
		{"endDelayMs", p.EndDelayMs, 0, &to.endDelay},
		{"listDelayMs", p.ListDelayMs, 0, &to.listDelay},
		{"deliveryTimeoutMs", p.DeliveryTimeoutMs, 1, &to.deliveryTimeout},
	} {
		if d.given == nil {
			continue
		}
		var err error
		if *d.to, err = millis(d.name, *d.given, d.least, maxControlMillis); err != nil {
			return err
		}
	}
	if p.DeliveryPausesMs == nil {
		return nil
	}
	to.pauses = nil
	for _, n := range *p.DeliveryPausesMs {
		pause, err := millis("deliveryPausesMs", n, 0, maxControlMillis)
		if err != nil {
			return err
		}
		to.pauses = append(to.pauses, pause)
	}
	return nil
}

type controlLocation struct {
	PhoneNumber string   `json:"phoneNumber"`
	Latitude    *float64 `json:"latitude"`
	Longitude   *float64 `json:"longitude"`
}

func (p *controlLocation) check() error {
	switch {
	case p.Latitude == nil || p.Longitude == nil:
		return misuse("latitude and longitude are required")
	case *p.Latitude < -90 || *p.Latitude > 90 || *p.Longitude < -180 || *p.Longitude > 180:
		return misuse("latitude must be from -90 to 90, and longitude from -180 to 180")
	}
	return checkPhoneNumber(p.PhoneNumber)
}

type controlLineType struct {
	PhoneNumber string `json:"phoneNumber"`
	LineType    string `json:"lineType"`
}

func (p *controlLineType) check() error {
	if err := oneOf("lineType", p.LineType, "mobile", "landline", "voip", ""); err != nil {
		return err
	}
	return checkPhoneNumber(p.PhoneNumber)
}

func checkPhoneNumber(given string) error {
	if e164Format(given) != "" {
		return misuse("phoneNumber must be in E.164 form, such as +14155550123")
	}
	return nil
}

type controlRedelivery struct {
	Secret      string  `json:"secret"`
	AgeMs       int64   `json:"ageMs"`
	Body        *string `json:"body"`
	NoSignature bool    `json:"noSignature"`
	Times       int     `json:"times"`
}

func (p *controlRedelivery) redelivery() (Redelivery, error) {
	if p.Times < 0 || p.Times > maxControlTimes {
		return Redelivery{}, misuse("times must be from 0 to %d", maxControlTimes)
	}
	age, err := millis("ageMs", p.AgeMs, -maxControlMillisAge, maxControlMillisAge)
	how := Redelivery{Secret: p.Secret, Age: age, NoSignature: p.NoSignature, Times: p.Times}
	if p.Body != nil {
		how.Body = []byte(*p.Body)
	}
	return how, err
}
