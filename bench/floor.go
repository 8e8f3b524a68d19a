package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// floor is what the others are measured against: net/http and encoding/json by hand, as one would
// write it for one's own service. It has a timeout, checks the status, and reads the body to its
// end. It does not retry, and does not know which operations are idempotent.
type floor struct {
	base, key string
	http      *http.Client
}

const timeout = 30 * time.Second

func (f *floor) do(ctx context.Context, method, path string, query url.Values, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	address := f.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+f.key)
	req.Header.Set("Accept", "application/json")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, data)
	}
	return json.Unmarshal(data, out)
}

type number struct {
	ID          string    `json:"id"`
	PhoneNumber string    `json:"phoneNumber"`
	Country     string    `json:"country"`
	Status      string    `json:"status"`
	Type        string    `json:"type"`
	AgentID     string    `json:"agentId"`
	OutboundSMS string    `json:"outboundSms"`
	CreatedAt   time.Time `json:"createdAt"`
}

type message struct {
	AgentID  string `json:"agent_id"`
	ToNumber string `json:"to_number"`
	Body     string `json:"body"`
}

type sentMessage struct {
	ID                    string   `json:"id"`
	Status                string   `json:"status"`
	Channel               string   `json:"channel"`
	FromNumber            string   `json:"from_number"`
	ToNumber              string   `json:"to_number"`
	ConversationID        string   `json:"conversation_id"`
	MediaURLs             []string `json:"media_urls"`
	ReplyToMessageID      string   `json:"reply_to_message_id"`
	ReplyParentUnresolved *bool    `json:"reply_parent_unresolved"`
}

type call struct {
	ID                    string     `json:"id"`
	AgentID               string     `json:"agentId"`
	PhoneNumberID         string     `json:"phoneNumberId"`
	PhoneNumber           string     `json:"phoneNumber"`
	FromNumber            string     `json:"fromNumber"`
	ToNumber              string     `json:"toNumber"`
	Direction             string     `json:"direction"`
	Status                string     `json:"status"`
	StartedAt             time.Time  `json:"startedAt"`
	EndedAt               *time.Time `json:"endedAt"`
	DurationSeconds       *float64   `json:"durationSeconds"`
	LastTranscriptSnippet string     `json:"lastTranscriptSnippet"`
	RecordingURL          string     `json:"recordingUrl"`
	RecordingAvailable    *bool      `json:"recordingAvailable"`
	Transcripts           []turn     `json:"transcripts"`
}

type turn struct {
	ID         string    `json:"id"`
	Transcript string    `json:"transcript"`
	Confidence *float64  `json:"confidence"`
	Response   string    `json:"response"`
	CreatedAt  time.Time `json:"createdAt"`
}

type page struct {
	Data    []call `json:"data"`
	HasMore bool   `json:"hasMore"`
	Total   int    `json:"total"`
}

func (f *floor) number(ctx context.Context, id string) (*number, error) {
	var out number
	if err := f.do(ctx, http.MethodGet, "/v1/numbers/"+url.PathEscape(id), nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

func (f *floor) send(ctx context.Context, in message) (*sentMessage, error) {
	var out sentMessage
	if err := f.do(ctx, http.MethodPost, sendPath, nil, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

func (f *floor) list(ctx context.Context, limit, offset int) (*page, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset)}}
	var out page
	if err := f.do(ctx, http.MethodGet, callsPath, query, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

func (f *floor) all(ctx context.Context, limit int) iter.Seq2[call, error] {
	return func(yield func(call, error) bool) {
		for offset := 0; ; {
			page, err := f.list(ctx, limit, offset)
			if err != nil {
				yield(call{}, err)
				return
			}
			for _, c := range page.Data {
				if !yield(c, nil) {
					return
				}
			}
			if !page.HasMore {
				return
			}
			offset += len(page.Data)
		}
	}
}

type spoken struct {
	Role      string    `json:"role"`
	Content   string    `json:"content"`
	CreatedAt time.Time `json:"createdAt"`
}

// transcript yields the turns of a live transcript. It does not reconnect.
func (f *floor) transcript(ctx context.Context, id string, given func(*spoken)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base+"/v1/calls/"+url.PathEscape(id)+"/transcript/stream", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+f.key)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return errors.New(resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	event := ""
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case field == "event":
			event = value
		case field == "data" && event == "turn":
			var t spoken
			if err := json.Unmarshal([]byte(value), &t); err != nil {
				return err
			}
			given(&t)
		case field == "data" && event == "ended":
			return nil
		}
	}
	return errors.Join(lines.Err(), io.ErrUnexpectedEOF)
}
