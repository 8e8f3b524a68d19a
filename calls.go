package agentphone

import (
	"context"
	"iter"
	"strconv"
	"time"
)

// CallsService places calls and reads them.
type CallsService service

var (
	opListCalls     = operation{method: "GET", path: "/v1/calls", idempotent: true}
	opCreateCall    = operation{method: "POST", path: "/v1/calls"}
	opGetCall       = operation{method: "GET", path: "/v1/calls/{call_id}", idempotent: true}
	opEndCall       = operation{method: "POST", path: "/v1/calls/{call_id}/end", idempotent: true}
	opCreateWebCall = operation{method: "POST", path: "/v1/calls/web"}
)

// CallStatus is the state of a call. The API may use other words than those named here.
type CallStatus string

const (
	CallStatusRegistered CallStatus = "registered"
	CallStatusQueued     CallStatus = "queued"
	CallStatusRinging    CallStatus = "ringing"
	CallStatusInProgress CallStatus = "in-progress"

	CallStatusCompleted CallStatus = "completed"
	CallStatusFailed    CallStatus = "failed"
	CallStatusBusy      CallStatus = "busy"
	CallStatusNoAnswer  CallStatus = "no-answer"
	CallStatusCanceled  CallStatus = "canceled"
	CallStatusError     CallStatus = "error"
)

// Final reports whether a call of this status is over. It is false for a word that is not
// known here: [Call.Final] also looks at when the call ended.
func (s CallStatus) Final() bool {
	switch s {
	case CallStatusCompleted, CallStatusFailed, CallStatusBusy, CallStatusNoAnswer, CallStatusCanceled, CallStatusError:
		return true
	}
	return false
}

// Call is a phone call.
type Call struct {
	ID                    string           `json:"id"`
	AgentID               string           `json:"agentId"`
	PhoneNumberID         string           `json:"phoneNumberId"`
	PhoneNumber           string           `json:"phoneNumber"`
	FromNumber            string           `json:"fromNumber"`
	ToNumber              string           `json:"toNumber"`
	Direction             Direction        `json:"direction"`
	Status                CallStatus       `json:"status"`
	StartedAt             Timestamp        `json:"startedAt"`
	EndedAt               Timestamp        `json:"endedAt"`         // zero while it goes on
	DurationSeconds       *float64         `json:"durationSeconds"` // nil while it goes on
	LastTranscriptSnippet string           `json:"lastTranscriptSnippet"`
	RecordingURL          string           `json:"recordingUrl"`       // it may be another host: do not send it the key
	RecordingAvailable    *bool            `json:"recordingAvailable"` // nil if unknown
	Transcripts           []TranscriptTurn `json:"transcripts"`        // whole some moments after the call ended
}

// Final reports whether the call is over.
func (c *Call) Final() bool { return c.Status.Final() || !c.EndedAt.IsZero() }

// unanswered: nobody spoke.
func (c *Call) unanswered() bool {
	return c.Status == CallStatusNoAnswer || c.Status == CallStatusBusy || c.Status == CallStatusCanceled
}

// Dialogue is the call's transcript as it was spoken, one entry for each thing said.
func (c *Call) Dialogue() []TranscriptEntry { return dialogue(c.Transcripts) }

// ListCallsParams are the parameters of the lists of calls.
type ListCallsParams struct {
	Limit  int `url:"limit,omitempty"` // 1 to 100; the API's default is 20, that of the All methods 100
	Offset int `url:"offset,omitempty"`

	// The filters are for [CallsService.List] and All only.
	Status    CallStatus `url:"status,omitempty"`
	Direction Direction  `url:"direction,omitempty"`
	Type      string     `url:"type,omitempty"` // pstn or web
	Search    string     `url:"search,omitempty"`
}

func (p ListCallsParams) validate() error { return checkPage(p.Limit, maxPage, p.Offset) }

// List returns one page of the account's calls, newest first. Retried. (GET /v1/calls)
func (s *CallsService) List(ctx context.Context, params ListCallsParams, opts ...RequestOption) (*Page[Call], error) {
	return list[Call](ctx, (*service)(s), &opListCalls, nil, params, params.Offset, opts)
}

// All iterates over the account's calls, newest first. (GET /v1/calls)
func (s *CallsService) All(ctx context.Context, params ListCallsParams, opts ...RequestOption) iter.Seq2[Call, error] {
	return allCalls(params, func(p ListCallsParams) (*Page[Call], error) { return s.List(ctx, p, opts...) })
}

func allCalls(params ListCallsParams, fetch func(ListCallsParams) (*Page[Call], error)) iter.Seq2[Call, error] {
	return allByOffset(params.Offset, pageSize(params.Limit), func(c *Call) string { return c.ID },
		func(offset, limit int) (*Page[Call], error) {
			p := params
			p.Offset, p.Limit = offset, limit
			return fetch(p)
		})
}

// listScopedCalls lists the calls of an agent or a number. The API would ignore a filter there
// and answer with other calls than were asked for.
func listScopedCalls(ctx context.Context, s *service, op *operation, id string, params ListCallsParams, opts []RequestOption) (*Page[Call], error) {
	if (params != ListCallsParams{Limit: params.Limit, Offset: params.Offset}) {
		return nil, &ValidationError{"filter", "this list has none; use Calls.List"}
	}
	return list[Call](ctx, s, op, []string{id}, params, params.Offset, opts)
}

// CreateCallParams are the parameters of [CallsService.Create].
type CreateCallParams struct {
	AgentID               string            `json:"agentId"`               // required: who calls; it must have a number
	ToNumber              string            `json:"toNumber"`              // required: E.164
	SystemPrompt          string            `json:"systemPrompt,omitzero"` // set: the AI holds the call by it; empty: each turn goes to the webhook
	InitialGreeting       string            `json:"initialGreeting,omitzero"`
	FromNumberID          string            `json:"fromNumberId,omitzero"` // which of the agent's numbers to call from
	Voice                 string            `json:"voice,omitzero"`        // instead of the agent's
	ModelTier             ModelTier         `json:"modelTier,omitzero"`
	Variables             map[string]string `json:"variables,omitzero"` // for placeholders in the prompt
	CallScreeningIdentity string            `json:"callScreeningIdentity,omitzero"`
	CallScreeningPurpose  string            `json:"callScreeningPurpose,omitzero"`
}

func (p CreateCallParams) validate() error {
	return firstOf(required("agentId", p.AgentID), requiredE164("toNumber", p.ToNumber))
}

// Create places a call and returns at once; the phone rings within seconds. The transcript
// comes after the call's end: see [CallsService.Wait]. (POST /v1/calls)
//
// With a SystemPrompt the AI holds the conversation by itself, whatever the agent's
// VoiceMode. Without one each turn goes to the webhook, which answers it.
//
// Acts once: after [ErrOutcomeUnknown] look for the ToNumber with [CallsService.List]
// before calling again.
func (s *CallsService) Create(ctx context.Context, params CreateCallParams, opts ...RequestOption) (*Call, error) {
	return do[Call](ctx, (*service)(s), &opCreateCall, nil, params, opts)
}

// GetCallOptions are optional parameters of [CallsService.Get], given as a request option.
type GetCallOptions struct {
	Wait           bool // hold the answer until the call ends, or the time is up
	TimeoutSeconds int  // with Wait: 10 to 300; the API's default is 120
}

const defaultServerWait, serverWaitMargin = 120, 30 * time.Second

func (p GetCallOptions) apply(rc *requestConfig) error {
	if err := rc.only("GetCallOptions", &opGetCall); err != nil {
		return err
	}
	if !p.Wait {
		if p.TimeoutSeconds != 0 {
			return &ValidationError{"timeout", "is for wait only"}
		}
		return nil
	}
	held := defaultServerWait
	rc.query.Set("wait", "true")
	if p.TimeoutSeconds != 0 {
		if p.TimeoutSeconds < 10 || p.TimeoutSeconds > 300 {
			return &ValidationError{"timeout", "is not within 10 to 300 seconds"}
		}
		held = p.TimeoutSeconds
		rc.query.Set("timeout", strconv.Itoa(held))
	}
	rc.serverWait = time.Duration(held)*time.Second + serverWaitMargin
	return nil
}

// Get returns a call with what there is of its transcript. [GetCallOptions] may be given
// as an option: then the server holds the answer until the call ends, and the attempt may
// take that long. Retried. (GET /v1/calls/{call_id})
func (s *CallsService) Get(ctx context.Context, callID string, opts ...RequestOption) (*Call, error) {
	return do[Call](ctx, (*service)(s), &opGetCall, []string{callID}, nil, opts)
}

// End hangs up. Retried: ending a call that is over changes nothing.
// (POST /v1/calls/{call_id}/end)
func (s *CallsService) End(ctx context.Context, callID string, opts ...RequestOption) (*Call, error) {
	return do[Call](ctx, (*service)(s), &opEndCall, []string{callID}, nil, opts)
}

// CreateWebCallParams are the parameters of [CallsService.CreateWeb].
type CreateWebCallParams struct {
	AgentID   string            `json:"agentId"` // required
	Metadata  map[string]any    `json:"metadata,omitzero"`
	Variables map[string]string `json:"variables,omitzero"` // for placeholders in the agent's prompt
}

func (p CreateWebCallParams) validate() error { return required("agentId", p.AgentID) }

// WebCall is a call from a browser to an agent.
type WebCall struct {
	AccessToken string `json:"accessToken"` // for the browser's client; valid for 30 seconds
	CallID      string `json:"callId"`
}

// CreateWeb prepares a call from a browser to an agent. (POST /v1/calls/web)
//
// Acts once: after [ErrOutcomeUnknown] make another one; an access token that nobody has expires.
func (s *CallsService) CreateWeb(ctx context.Context, params CreateWebCallParams, opts ...RequestOption) (*WebCall, error) {
	return do[WebCall](ctx, (*service)(s), &opCreateWebCall, nil, params, opts)
}
