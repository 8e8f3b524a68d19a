package agentphone

import (
	"cmp"
	"context"
	"iter"
	"strconv"
	"time"
)

// CallsService places calls, follows them and reads their transcripts and recordings.
type CallsService service

var (
	opListCalls     = operation{name: "Calls.List", method: "GET", path: "/v1/calls", idempotent: true}
	opCreateCall    = operation{name: "Calls.Create", method: "POST", path: "/v1/calls", find: findBy(findPlaced)}
	opGetCall       = operation{name: "Calls.Get", method: "GET", path: "/v1/calls/{call_id}", idempotent: true}
	opEndCall       = operation{name: "Calls.End", method: "POST", path: "/v1/calls/{call_id}/end", idempotent: true}
	opCreateWebCall = operation{name: "Calls.CreateWeb", method: "POST", path: "/v1/calls/web"}
)

// CallStatus is the status of a call. The API may return others than those named here.
type CallStatus string

const (
	CallStatusRegistered CallStatus = "registered"
	CallStatusQueued     CallStatus = "queued"
	CallStatusRinging    CallStatus = "ringing"
	CallStatusInProgress CallStatus = "in-progress"
	CallStatusEnding     CallStatus = "ending" // after [CallsService.End], for a moment

	// The statuses of a call that is over.
	CallStatusCompleted CallStatus = "completed"
	CallStatusFailed    CallStatus = "failed"
	CallStatusBusy      CallStatus = "busy"
	CallStatusNoAnswer  CallStatus = "no-answer"
	CallStatusCanceled  CallStatus = "canceled"
	CallStatusError     CallStatus = "error"
)

// Final reports whether a call of this status is over. It returns false for a status that is not named here;
// [Call.Final] covers those too.
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
	PhoneNumberID         string           `json:"phoneNumberId"` // the account's number
	PhoneNumber           string           `json:"phoneNumber"`   // the same, in E.164
	FromNumber            string           `json:"fromNumber"`
	ToNumber              string           `json:"toNumber"`
	Direction             Direction        `json:"direction"`
	Status                CallStatus       `json:"status"`
	StartedAt             Timestamp        `json:"startedAt"`
	EndedAt               Timestamp        `json:"endedAt"`         // zero until it has ended
	DurationSeconds       *float64         `json:"durationSeconds"` // nil until it has ended
	LastTranscriptSnippet string           `json:"lastTranscriptSnippet"`
	RecordingURL          string           `json:"recordingUrl"`       // it may be on another host: do not send it the API key
	RecordingAvailable    *bool            `json:"recordingAvailable"` // nil if unknown
	Transcripts           []TranscriptTurn `json:"transcripts"`        // complete some moments after the call has ended
}

// Final reports whether the call is over: its status is final, or it has an EndedAt.
func (c *Call) Final() bool { return c.Status.Final() || !c.EndedAt.IsZero() }

// unanswered reports whether the call ended without anybody speaking, so that it never gets a transcript.
func (c *Call) unanswered() bool {
	return c.Status == CallStatusNoAnswer || c.Status == CallStatusBusy || c.Status == CallStatusCanceled
}

// Dialogue returns the call's transcript in spoken order: for each turn an entry of what the human said and one of what
// the agent said, unless that is nothing.
func (c *Call) Dialogue() []TranscriptEntry { return dialogue(c.Transcripts) }

// ListCallsParams are the parameters of the lists of calls.
type ListCallsParams struct {
	Limit  int `url:"limit,omitempty"`  // page size, 1 to 100; the default is 20, and 100 for the All methods
	Offset int `url:"offset,omitempty"` // number of calls to skip

	// The filters are for [CallsService.List] and [CallsService.All] only.
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

// All iterates over the account's calls, newest first. Retried. (GET /v1/calls)
func (s *CallsService) All(ctx context.Context, params ListCallsParams, opts ...RequestOption) iter.Seq2[Call, error] {
	return allCalls(params, func(p ListCallsParams) (*Page[Call], error) { return s.List(ctx, p, opts...) })
}

func allCalls(params ListCallsParams, fetch func(ListCallsParams) (*Page[Call], error)) iter.Seq2[Call, error] {
	return allByOffset(params.Offset, cmp.Or(params.Limit, maxPage), func(c *Call) string { return c.ID },
		func(offset, limit int) (*Page[Call], error) {
			p := params
			p.Offset, p.Limit = offset, limit
			return fetch(p)
		})
}

// listScopedCalls lists the calls of an agent or a number. It refuses filters: the API would ignore them and return
// other calls than those requested.
func listScopedCalls(ctx context.Context, s *service, op *operation, id string, params ListCallsParams, opts []RequestOption) (*Page[Call], error) {
	if (params != ListCallsParams{Limit: params.Limit, Offset: params.Offset}) {
		return nil, &ValidationError{"filter", "this list has none; use Calls.List"}
	}
	return list[Call](ctx, s, op, []string{id}, params, params.Offset, opts)
}

// CreateCallParams are the parameters of [CallsService.Create].
type CreateCallParams struct {
	AgentID               string            `json:"agentId"`                        // required: the agent that calls; it must have a number
	ToNumber              string            `json:"toNumber"`                       // required: E.164
	SystemPrompt          string            `json:"systemPrompt,omitzero"`          // instructions for the model; if empty, each turn goes to the webhook
	InitialGreeting       *string           `json:"initialGreeting,omitzero"`       // said first when the call connects; generated if nil; "" is silence until the human speaks
	FromNumberID          string            `json:"fromNumberId,omitzero"`          // the agent's number to call from, if it has several
	Voice                 string            `json:"voice,omitzero"`                 // a VoiceID of [VoicesService.List]; default the agent's
	ModelTier             ModelTier         `json:"modelTier,omitzero"`             // default the agent's
	Variables             map[string]string `json:"variables,omitzero"`             // values for placeholders in the prompt
	CallScreeningIdentity string            `json:"callScreeningIdentity,omitzero"` // who is calling, as told to a call screener; 100 characters at most
	CallScreeningPurpose  string            `json:"callScreeningPurpose,omitzero"`  // why, as told to a call screener; 300 characters at most
	DisableRecording      bool              `json:"disableRecording,omitzero"`      // if true, the call is not recorded
}

func (p CreateCallParams) validate() error {
	return firstOf(required("agentId", p.AgentID), requiredE164("toNumber", p.ToNumber),
		atMost("callScreeningIdentity", p.CallScreeningIdentity, 100), atMost("callScreeningPurpose", p.CallScreeningPurpose, 300))
}

// Create places a call and returns without waiting for it: the phone rings within seconds, and the transcript is
// complete after the call has ended. [CallsService.Wait] waits for that, [CallsService.StreamTranscript] follows the
// call live. (POST /v1/calls)
//
// With a SystemPrompt a model that AgentPhone runs holds the conversation, whatever the agent's VoiceMode. Without one
// each turn goes to the webhook: see [WebhookHandlerConfig].OnVoiceTurn.
//
// The API accepts 120 calls a minute. If as many of the account's calls are in progress as it may have at a time, Create fails with
// [ErrConflict], or with [ErrRateLimited] after the retries.
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] look for the call with
// [CallsService.FindPlaced] before placing it again, or use [WithIdempotencyKey].
func (s *CallsService) Create(ctx context.Context, params CreateCallParams, opts ...RequestOption) (*Call, error) {
	return do[Call](ctx, (*service)(s), &opCreateCall, nil, params, opts)
}

// GetCallOptions are optional parameters of [CallsService.Get], given as a request option.
type GetCallOptions struct {
	Wait           bool // let the server hold the response until the call has ended or TimeoutSeconds are over
	TimeoutSeconds int  // with Wait only: 10 to 300; default 120
}

// serverWaitMargin is added to the timeout of an attempt whose response the server may hold, for the request itself.
const defaultServerWait, serverWaitMargin = 120, 30 * time.Second

func (p GetCallOptions) apply(rc *requestConfig) error {
	if is, err := rc.isFor("GetCallOptions", &opGetCall); !is {
		return err
	}
	if !p.Wait {
		if p.TimeoutSeconds != 0 {
			return &ValidationError{"timeout", "is for Wait only"}
		}
		return nil
	}
	seconds := defaultServerWait
	rc.query.Set("wait", "true")
	if p.TimeoutSeconds != 0 {
		if err := secondsBetween("timeout", p.TimeoutSeconds, 10, 300); err != nil {
			return err
		}
		seconds = p.TimeoutSeconds
		rc.query.Set("timeout", strconv.Itoa(seconds))
	}
	rc.serverWait = time.Duration(seconds)*time.Second + serverWaitMargin
	return nil
}

// Get returns a call with its transcript so far. It fails with [ErrNotFound] if there is no call with that id. Retried.
// (GET /v1/calls/{call_id})
//
// With [GetCallOptions].Wait the server holds the response until the call has ended; the timeout of an attempt is then
// as long, unless [WithRequestTimeout] sets it.
func (s *CallsService) Get(ctx context.Context, callID string, opts ...RequestOption) (*Call, error) {
	return do[Call](ctx, (*service)(s), &opGetCall, []string{callID}, nil, opts)
}

// End ends a call. The result is the call, or no more of it than its ID and the status [CallStatusEnding]; [CallsService.Wait]
// waits until it is over. End fails with [ErrConflict] if the call is not in progress. Retried: if the response to one attempt
// is lost, the next may fail that way although the call was ended. (POST /v1/calls/{call_id}/end)
func (s *CallsService) End(ctx context.Context, callID string, opts ...RequestOption) (*Call, error) {
	return do[Call](ctx, (*service)(s), &opEndCall, []string{callID}, nil, opts)
}

// CreateWebCallParams are the parameters of [CallsService.CreateWeb].
type CreateWebCallParams struct {
	AgentID   string            `json:"agentId"` // required
	Metadata  map[string]any    `json:"metadata,omitzero"`
	Variables map[string]string `json:"variables,omitzero"` // values for placeholders in the agent's prompt
}

func (p CreateWebCallParams) validate() error { return required("agentId", p.AgentID) }

// WebCall is a call from a browser to an agent, as prepared by [CallsService.CreateWeb].
type WebCall struct {
	AccessToken string `json:"accessToken"` // for the client in the browser; valid for 30 seconds
	CallID      string `json:"callId"`
}

// CreateWeb prepares a call from a browser to an agent, whose Direction is [DirectionWeb]. The API accepts 30 requests a minute.
// (POST /v1/calls/web)
//
// Not idempotent: it is not retried once it may have been sent. On [ErrOutcomeUnknown] create another: an access token
// that nobody received expires unused.
func (s *CallsService) CreateWeb(ctx context.Context, params CreateWebCallParams, opts ...RequestOption) (*WebCall, error) {
	return do[WebCall](ctx, (*service)(s), &opCreateWebCall, nil, params, opts)
}
