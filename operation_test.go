package agentphone

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The list is what the tests below, and those of retries, go by: it has the API's operations, each once.
func TestOperations_AreListedOnceEach(t *testing.T) {
	data, err := os.ReadFile("testdata/operations.json")
	require.NoError(t, err)
	var contract []struct {
		Method, Path string
		Public       bool
	}
	require.NoError(t, json.Unmarshal(data, &contract))
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), fmt.Sprintf("All %d operations", len(contract)), "README.md says how many there are")
	public := map[string]bool{}
	for _, op := range contract {
		public[op.Method+" "+op.Path] = op.Public
	}
	seen := map[string]bool{}
	for _, op := range operations {
		assert.False(t, seen[op.String()], "%s is listed twice", op)
		seen[op.String()] = true
		assert.Equal(t, public[op.String()], op.noKey, "%s", op)
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(public)), slices.Collect(maps.Keys(seen)))
}

// Whether a phone can ring twice is decided by this table, so it stands here in full.
func TestRetry_OperationsThatAreNotIdempotent(t *testing.T) {
	want := map[string]bool{
		"POST /v0/agent/sign-up": true, "POST /v0/agent/verify": true,
		"POST /v1/agents": true, "POST /v1/numbers": true, "POST /v1/messages": true, "POST /v1/calls": true,
		"POST /v1/webhooks": true, "POST /v1/agents/{agent_id}/webhook": true,
		"POST /v1/messages/{message_id}/reactions": true, "POST /v1/calls/web": true, "POST /v1/contacts": true,
		"POST /v1/sub-accounts": true, "POST /v1/register": true, "POST /v1/verify/send": true, "POST /v1/verify/check": true,
		"GET /v1/numbers/lookup": true, // each is billed
		// POSTs that change nothing when repeated:
		"POST /v1/agents/{agent_id}/numbers": false, "POST /v1/calls/{call_id}/end": false, "POST /v1/webhooks/test": false,
		"POST /v1/agents/{agent_id}/webhook/test": false, "POST /v1/location/refresh": false,
		"POST /v1/conversations/{conversation_id}/typing": false, "POST /v1/conversations/{conversation_id}/background": false,
	}
	for _, op := range operations {
		once, listed := want[op.String()]
		require.Equal(t, op.method == "POST" || op == &opLookupNumbers, listed, "%s", op)
		assert.Equal(t, once, !op.idempotent, "%s", op)
	}
}

// docs/retries.md names all operations that are not idempotent, in a table, and all other POSTs.
func TestRetryDoc_NamesOperationsThatAreNotIdempotent(t *testing.T) {
	page, err := os.ReadFile("docs/retries.md")
	require.NoError(t, err)
	table, others, ok := strings.Cut(string(page), "Every other operation is idempotent.")
	require.True(t, ok)
	others, _, _ = strings.Cut(others, "\n\n")
	named := func(text, pattern string) (names []string) {
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			names = append(names, match[1])
		}
		return names
	}
	var notIdempotent, otherPosts []string
	for _, op := range operations {
		switch {
		case !op.idempotent:
			notIdempotent = append(notIdempotent, op.String())
		case op.method == "POST":
			otherPosts = append(otherPosts, op.String())
		}
	}
	assert.ElementsMatch(t, notIdempotent, named(table, "(?m)^\\| `((?:POST|GET) [^`]+)` \\|"))
	assert.ElementsMatch(t, otherPosts, named(others, "`(POST [^`]+)`"))
}

func TestOperations_OnlySignupAndRecordingsSendNoKey(t *testing.T) {
	for _, op := range operations {
		assert.Equal(t, strings.HasPrefix(op.path, "/v0/") || op == &opGetRecording, op.noKey, "%s", op)
	}
}

func TestPathID_StaysOneSegment(t *testing.T) {
	for id, want := range map[string]string{
		"agt_1":          "/v1/agents/agt_1/numbers/num_1",
		"%2e%2e":         "/v1/agents/%252e%252e/numbers/num_1",
		"a?b#c":          "/v1/agents/a%3Fb%23c/numbers/num_1",
		"{number_id}":    "/v1/agents/%7Bnumber_id%7D/numbers/num_1",
		"+14155551234":   "/v1/agents/+14155551234/numbers/num_1",
		"sp ace":         "/v1/agents/sp%20ace/numbers/num_1",
		"\u00e9\u2028ok": "/v1/agents/%C3%A9%E2%80%A8ok/numbers/num_1",
	} {
		got, err := opDetachNumber.fill([]string{id, "num_1"})
		require.NoError(t, err, id)
		assert.Equal(t, want, got)
	}
	for _, id := range []string{"", ".", "..", "a/b", "/", "agt_1/numbers/num_1", "a/../../x", `a\b`, "voices", "a\nb", "a\x00", "\x7f", strings.Repeat("x", 1025)} {
		_, err := opGetAgent.fill([]string{id})
		var invalid *ValidationError
		require.ErrorAs(t, err, &invalid, "%q", id)
		assert.Equal(t, "agent_id", invalid.Field)
	}
}

// Where an operation has a name in its path and another has an id, no id is that name.
func TestPathID_IsNoNameOfAnotherOperation(t *testing.T) {
	names := map[string]bool{}
	for _, named := range operations {
		for _, op := range operations {
			a, b := strings.Split(named.path, "/"), strings.Split(op.path, "/")
			if len(a) != len(b) {
				continue
			}
			var args []string
			fits := true
			for i := range b {
				switch {
				case strings.HasPrefix(b[i], "{") && !strings.HasPrefix(a[i], "{"):
					args, names[a[i]] = append(args, a[i]), true
				case strings.HasPrefix(b[i], "{"):
					args = append(args, "id_1")
				case a[i] != b[i]:
					fits = false
				}
			}
			if !fits || !slices.ContainsFunc(args, func(arg string) bool { return arg != "id_1" }) {
				continue
			}
			_, err := op.fill(args)
			assert.ErrorIs(t, err, ErrValidation, "%s with %q is %s", op, args, named)
		}
	}
	for _, name := range notIDs {
		assert.True(t, names[name], "%s is no name of an operation", name)
	}
}

func FuzzPathID_StaysOneSegment(f *testing.F) {
	for _, id := range []string{"agt_1", "..", "a/../b", "%2e%2e", "%2f", "\x00", "?x#y", "{number_id}", "é"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		path, err := opGetAgent.fill([]string{id})
		if err != nil {
			return
		}
		segment, ok := strings.CutPrefix(path, "/v1/agents/")
		decoded, _ := url.PathUnescape(path) // some servers do so before they look for the operation
		if !ok || segment == "" || segment == "." || segment == ".." || strings.ContainsAny(segment, "/?#\\ ") || strings.Count(decoded, "/") != 3 {
			t.Fatalf("%q became %q", id, path)
		}
	})
}

// operations lists every operation; each is declared beside the service that uses it.
var operations = []*operation{
	&opSignup, &opVerifySignup,
	&opListAgents, &opCreateAgent, &opGetAgent, &opUpdateAgent, &opDeleteAgent,
	&opAttachNumber, &opDetachNumber, &opListAgentCalls, &opListAgentConversations,
	&opListVoices,
	&opListNumbers, &opBuyNumber, &opGetNumber, &opReleaseNumber, &opListNumberMessages, &opListNumberCalls,
	&opLookupNumbers,
	&opSendVerification, &opCheckVerification,
	&opGetContactCard, &opSetContactCard, &opDeleteContactCard,
	&opSendMessage, &opReact,
	&opListConversations, &opGetConversation, &opUpdateConversation, &opListConversationMessages,
	&opSendTyping, &opSetBackground, &opRemoveBackground,
	&opListContacts, &opCreateContact, &opGetContact, &opUpdateContact, &opDeleteContact, &opContactCapabilities,
	&opListCalls, &opCreateCall, &opCreateWebCall, &opGetCall, &opEndCall,
	&opGetTranscript, &opStreamTranscript, &opGetRecording,
	&opGetWebhook, &opSetWebhook, &opDeleteWebhook, &opTestWebhook,
	&opListDeliveries, &opDeliveryStats, &opAllTimeDeliveryStats,
	&opGetAgentWebhook, &opSetAgentWebhook, &opDeleteAgentWebhook, &opTestAgentWebhook, &opListAgentDeliveries,
	&opGetUsage, &opDailyUsage, &opMonthlyUsage, &opUsageByNumber, &opUsageByAgent,
	&opListSubAccounts, &opCreateSubAccount, &opUpdateSubAccount, &opDeleteSubAccount,
	&opRegister, &opRegistrationStatus,
	&opGetLocation, &opRefreshLocations,
}
