package agentphone

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// operation is one of the API's operations: what a service method names, and the
// only thing that decides on retries. Its template, never the filled-in path, goes to
// errors and logs: a path holds ids and phone numbers.
type operation struct {
	method string
	path   string
	// once: a second delivery would act twice, so it is sent again only if the server
	// certainly did not act. All else is safe to repeat.
	once bool
	// noKey: the operation is public, so the key is not sent.
	noKey bool
	// emptyAnswer: a 2xx may have no body, or null.
	emptyAnswer bool
	// streams is the media type of an answer that is handed on as it comes, and silence how long
	// such an answer may pause.
	streams string
	silence time.Duration
}

func (op *operation) String() string { return op.method + " " + op.path }

// operations lists every operation; each is declared beside the service that uses it.
var operations = []*operation{
	&opSignUp, &opVerify,
	&opListAgents, &opCreateAgent, &opGetAgent, &opUpdateAgent, &opDeleteAgent,
	&opAttachNumber, &opDetachNumber, &opListAgentCalls, &opListAgentConversations,
	&opListVoices,
	&opListNumbers, &opBuyNumber, &opGetNumber, &opReleaseNumber, &opListNumberMessages, &opListNumberCalls,
	&opGetContactCard, &opSetContactCard, &opDeleteContactCard,
	&opSendMessage, &opReact,
	&opListConversations, &opGetConversation, &opUpdateConversation, &opListConversationMessages,
	&opSendTyping, &opSetBackground, &opRemoveBackground,
	&opListContacts, &opCreateContact, &opGetContact, &opUpdateContact, &opDeleteContact, &opContactCapabilities,
	&opListCalls, &opCreateCall, &opCreateWebCall, &opGetCall, &opEndCall,
	&opGetTranscript, &opStreamTranscript, &opGetRecording,
	&opGetWebhook, &opSetWebhook, &opDeleteWebhook, &opTestWebhook,
	&opListDeliveries, &opDeliveryStats, &opAllTimeStats,
	&opGetAgentWebhook, &opSetAgentWebhook, &opDeleteAgentWebhook, &opTestAgentWebhook, &opListAgentDeliveries,
	&opGetUsage, &opDailyUsage, &opMonthlyUsage, &opUsageByNumber, &opUsageByAgent,
	&opListSubAccounts, &opCreateSubAccount, &opUpdateSubAccount, &opDeleteSubAccount,
	&opRegister, &opRegistrationStatus,
	&opGetLocation, &opRefreshLocations,
}

// fill puts the arguments, in order, into the template's {placeholders}. Each is
// escaped whole, so that none can lead to another path.
func (op *operation) fill(args []string) (string, error) {
	var b strings.Builder
	rest := op.path
	for _, arg := range args {
		before, after, _ := strings.Cut(rest, "{")
		name, after, _ := strings.Cut(after, "}")
		if err := checkPathID(name, arg); err != nil {
			return "", err
		}
		b.WriteString(before + url.PathEscape(arg))
		rest = after
	}
	return b.String() + rest, nil
}

const maxPathID = 1024

func checkPathID(field, id string) error {
	switch {
	case id == "":
		return &ValidationError{field, "is empty"}
	case id == "." || id == "..":
		return &ValidationError{field, "is not an id"}
	case len(id) > maxPathID:
		return &ValidationError{field, "is too long for an id"}
	case strings.ContainsFunc(id, isControl):
		return &ValidationError{field, "has a control character"}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// hasBody: a POST always has one, for net/http sends a POST without a body again by
// itself after some HTTP/2 errors.
func hasBody(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}
