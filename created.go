package agentphone

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

var (
	errNotSuccessful = errors.New("the body says that the operation did not succeed")
	errSaysNothing   = errors.New("the body does not say what was created")
)

// checkCreated returns an error for a 2xx to a request that is not idempotent which does not have the result, such as the id of the call
// that was placed. The API has always one, so the response is somebody else's: that of a gateway, say, which has a 200 for everything.
// Whether the request reached the API nobody knows.
func (op *operation) checkCreated(body []byte, out any) error {
	switch {
	case op.idempotent || op.untyped:
		return nil
	case saysNothing(out):
		return errSaysNothing
	case op.result == "" && saysFailed(body):
		return errNotSuccessful
	}
	return nil
}

// containsFold is bytes.Contains for ASCII in any case of letters, as encoding/json takes names.
func containsFold(body []byte, name string) bool {
	for len(body) >= len(name) {
		if bytes.EqualFold(body[:len(name)], []byte(name)) {
			return true
		}
		next := bytes.IndexByte(body[1:], name[0])
		if next < 0 {
			return false
		}
		body = body[1+next:]
	}
	return false
}

// saysNothing reports whether a result lacks what it is there for.
func saysNothing(result any) bool {
	switch r := result.(type) {
	case *Account:
		return r.AccountID == "" && r.APIKey == ""
	case *Agent:
		return r.ID == ""
	case *Call:
		return r.ID == ""
	case *Contact:
		return r.ID == ""
	case *PhoneNumber:
		return r.ID == ""
	case *Registration:
		return !r.OK && r.CampaignStatus == ""
	case *SentMessage:
		return r.ID == ""
	case *SentReaction:
		return r.ID == ""
	case *Signup:
		return r.VerificationID == ""
	case *SubAccount:
		return r.ID == ""
	case *Verification:
		return r.VerificationID == ""
	case *VerificationCheck:
		return r.Result == ""
	case *WebCall:
		return r.AccessToken == "" && r.CallID == ""
	case *Webhook:
		return r.ID == "" && r.Secret == ""
	}
	return false
}

// failure has the members by which a body says that it is no result.
type failure struct {
	Detail  present `json:"detail"`
	Error   present `json:"error"`
	Success isFalse `json:"success"`
}

// failureIn returns what an object says of a failure, and of any other body nothing.
func failureIn(body []byte) (says failure) {
	if json.Unmarshal(body, &says) != nil {
		return failure{}
	}
	return says
}

// saysFailed reports whether a body is an object with "success": false. To look for the name first costs no allocation.
func saysFailed(body []byte) bool {
	return containsFold(body, `"success"`) && bool(failureIn(body).Success)
}

// isFalse is a member of which nothing is kept but that it is false.
type isFalse bool

func (f *isFalse) UnmarshalJSON(data []byte) error {
	*f = isFalse(strings.EqualFold(strings.Trim(string(data), `"`), "false"))
	return nil
}
