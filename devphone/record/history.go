package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/agentphone/agentphone-go"
)

// history is what the control API has of what happened, oldest first.
type history struct {
	messages     []agentphone.ConversationMessage
	calls        []call
	turns        []turn
	deliveries   []delivery
	redeliveries []redelivery
}

type call struct {
	ID                  string
	Person              string
	PhoneNumber         string
	Direction           agentphone.Direction
	Driven              bool // people say what they like in it; others follow a script
	DisconnectionReason string
	EndedAt             agentphone.Timestamp
}

type turn struct {
	CallID, DeliveryID string
	Text               string
	At                 agentphone.Timestamp
	Answer             struct {
		Lines            []struct{ Text string }
		Hangup, Transfer bool
		Digits           string
	}
	Status     int
	Error      string
	DurationMs int64
}

type delivery struct {
	ID        string
	Event     agentphone.EventType
	MessageID string
	Status    string // "pending" until all attempts are over
	Payload   struct {
		Data struct {
			CallID    string
			From, To  string
			CreatedAt agentphone.Timestamp // of a reaction
		}
	}
	Attempts []struct {
		At         agentphone.Timestamp
		DurationMs int64
		Status     int
		Error      string
	}
}

// answered returns the status of the last response, or 0 if there was none or it broke off.
func (d *delivery) answered() int {
	if len(d.Attempts) == 0 {
		return 0
	}
	last := d.Attempts[len(d.Attempts)-1]
	return wholeStatus(last.Status, last.Error)
}

// wholeStatus is the status of a response, or 0 if there was none or it broke off: a 2xx that failed.
func wholeStatus(status int, failure string) int {
	if status/100 == 2 && failure != "" {
		return 0
	}
	return status
}

type redelivery struct {
	DeliveryID           string
	At                   agentphone.Timestamp
	Secret               string
	AgeMs                int64
	NoSignature, Altered bool
	Status               int
	Error                string
}

func readHistory(control http.Handler) (h history, err error) {
	for _, err := range []error{
		readAll(control, "/messages", &h.messages), readAll(control, "/calls", &h.calls), readAll(control, "/turns", &h.turns),
		readAll(control, "/deliveries", &h.deliveries), readAll(control, "/redeliveries", &h.redeliveries),
	} {
		if err != nil {
			return h, err
		}
	}
	return h, nil
}

// pageSize is the most that the control API lists at once.
const pageSize = 10_000

// readAll reads a list, from its newest part to its oldest. What comes meanwhile is left out.
func readAll[T any](control http.Handler, path string, all *[]T) error {
	var part struct {
		Data  []T
		Total int
	}
	offset, from := 0, -1 // from is the index of the first item that was read
	for from != 0 {
		part.Data = nil
		err := get(control, fmt.Sprintf("%s?limit=%d&offset=%d", path, pageSize, offset), &part)
		if err != nil {
			return err
		}
		if to := part.Total - offset; from < 0 {
			from = to
		} else { // the last ones were read already if others have come since
			part.Data = part.Data[:len(part.Data)-(to-from)]
		}
		*all = append(part.Data, *all...)
		from -= len(part.Data)
		offset = part.Total - from
	}
	return nil
}

// get sends a request to a handler in memory and decodes the response.
func get(h http.Handler, url string, out any) error {
	r, err := http.NewRequest(http.MethodGet, url, nil) //nolint:noctx // it does not wait
	if err != nil {
		return err
	}
	w := &response{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(w, r)
	if w.status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", url, w.status, &w.body)
	}
	return json.Unmarshal(w.body.Bytes(), out)
}

// response is a [http.ResponseWriter] in memory.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *response) Header() http.Header            { return w.header }
func (w *response) WriteHeader(status int)         { w.status = status }
func (w *response) Write(text []byte) (int, error) { return w.body.Write(text) }

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
