package agentphonetest

import (
	"maps"
	"net/http"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest/internal/schema"
)

// agent is an agent of an account.
type agent struct {
	id      string
	created time.Time
	fields  schema.Values // name, and those of agentDefaults
	webhook *webhook      // its own; nil if it has none

	numbers       []*phoneNumber // in the order in which they were bought
	calls         []*call
	messages      []*message
	conversations chronology
	deliveries    []*delivery // to its own webhook
}

func (a *agent) ident() string { return a.id }

func (a *agent) text(field string) string { return a.fields.Text(field) }

func (a *account) agentByID(id string) (*agent, error) {
	found, ok := a.agents.get(id)
	if !ok {
		return nil, notFound("Agent")
	}
	return found, nil
}

// agent returns the agent that the path names.
func (in *input) agent() (*agent, error) { return in.account.agentByID(in.path("agent_id")) }

var agentOperations = []*operation{
	get("/v1/agents", (*Server).listAgents, pageQuery(100)...),
	post("/v1/agents", (*Server).createAgent, agentFields(schema.Text("name").Required().Min(1))),
	get("/v1/agents/{agent_id}", (*Server).getAgent),
	patch("/v1/agents/{agent_id}", (*Server).updateAgent, agentFields(schema.Text("name").Nullable().Min(1))),
	remove("/v1/agents/{agent_id}", (*Server).deleteAgent),
	post("/v1/agents/{agent_id}/numbers", (*Server).attachNumber, schema.Fields{schema.Text("numberId").Required()}),
	remove("/v1/agents/{agent_id}/numbers/{number_id}", (*Server).detachNumber),
}

func (s *Server) addAgent(acc *account, given schema.Values) *agent {
	a := &agent{id: s.id("agt"), created: now(), fields: agentDefaults()}
	a.set(given)
	acc.agents.add(a)
	return a
}

// transferFormat is the format of a phone number, or of "", which removes it.
func transferFormat(s string) string {
	if s == "" {
		return ""
	}
	return e164Format(s)
}

// set sets the fields that are given. Null clears a field that may be null, resets the voice to its default, and is
// ignored for all others. An empty transferNumber or voicemailMessage clears it, too.
func (a *agent) set(given schema.Values) {
	defaults := agentDefaults()
	for _, f := range agentFields(schema.Text("name")) {
		v, ok := given[f.Name]
		if v == "" && (f.Name == "transferNumber" || f.Name == "voicemailMessage") {
			v = nil
		}
		switch {
		case !ok:
		case v != nil || defaults[f.Name] == nil && f.Name != "name":
			a.fields[f.Name] = v
		case f.Name == "voice":
			a.fields[f.Name] = defaults[f.Name]
		}
	}
}

// checkPrompt refuses a hosted agent without a system prompt.
func checkPrompt(fields schema.Values) error {
	if fields.Text("voiceMode") == "hosted" && fields.Text("systemPrompt") == "" {
		return invalidField("systemPrompt", "systemPrompt is required when voiceMode is 'hosted'")
	}
	return nil
}

func (a *agent) view() object {
	v := maps.Clone(a.fields)
	v["id"] = a.id
	v["createdAt"] = stamp(a.created)
	v["numbers"] = views(a.numbers, (*phoneNumber).asAgentNumber)
	return v
}

func (s *Server) listAgents(in *input) (any, error) {
	out := pageOf(in.account.agents.list, in.query, defaultPage, (*agent).view)
	delete(out, "hasMore") // this is the only list without it
	return out, nil
}

func (s *Server) createAgent(in *input) (any, error) {
	if err := checkPrompt(in.body); err != nil {
		return nil, err
	}
	return s.addAgent(in.account, in.body).view(), nil
}

func (s *Server) getAgent(in *input) (any, error) {
	a, err := in.agent()
	if err != nil {
		return nil, err
	}
	return a.view(), nil
}

func (s *Server) updateAgent(in *input) (any, error) {
	a, err := in.agent()
	if err != nil {
		return nil, err
	}
	changed := &agent{fields: maps.Clone(a.fields)}
	changed.set(in.body)
	if err := checkPrompt(changed.fields); err != nil {
		return nil, err
	}
	a.fields = changed.fields
	return a.view(), nil
}

func (s *Server) deleteAgent(in *input) (any, error) {
	a, err := in.agent()
	if err != nil {
		return nil, err
	}
	for _, n := range a.numbers {
		n.agentID = ""
	}
	// What it did stays and belongs to no agent.
	for _, c := range a.conversations {
		c.agentID = ""
	}
	for _, c := range a.calls {
		c.agentID = ""
	}
	for _, m := range a.messages {
		m.agentID = ""
	}
	in.account.agents.remove(a.id)
	s.publish("agentDeleted", func() object { return object{"id": a.id} })
	return object{"success": true, "id": a.id, "name": a.text("name")}, nil
}

func (s *Server) attachNumber(in *input) (any, error) {
	a, err := in.agent()
	if err != nil {
		return nil, err
	}
	n, err := in.account.activeNumber(in.body.Text("numberId"))
	if err != nil {
		return nil, err
	}
	in.account.assign(n, a.id)
	for _, c := range n.conversations {
		in.account.forget(c)
		c.agentID = a.id
		s.publishConversation(c)
		in.account.remember(c)
	}
	return object{"agentId": a.id, "number": n.asAgentNumber()}, nil
}

func (s *Server) detachNumber(in *input) (any, error) {
	a, err := in.agent()
	if err != nil {
		return nil, err
	}
	n, err := in.account.activeNumber(in.path("number_id"))
	if err != nil {
		return nil, err
	}
	if n.agentID != a.id {
		return nil, refuse(http.StatusNotFound, "Number is not attached to this agent")
	}
	in.account.assign(n, "")
	return succeeded, nil
}

// tool describes an endpoint that a hosted agent may call.
var tool = schema.Object("",
	schema.Text("name").Required().Min(1).Max(64),
	schema.Text("description").Required().Min(1).Max(1024),
	schema.Text("url").Required().Max(2048).Format(schema.HTTPS),
	schema.Enum("method", "GET", "POST"),
	schema.Map("headers", schema.Text("").Nullable()).Nullable(),
	schema.Object("parameters").Nullable(),
	schema.Integer("timeoutMs").Nullable().Min(1000).Max(120_000),
	schema.Boolean("speakDuringExecution").Nullable(),
	schema.Text("executionMessage").Nullable().Max(500),
)

var modelTier = schema.Enum("modelTier", "turbo", "balanced", "max")

// agentFields describes the body of both creation and update. Only the name differs.
func agentFields(name schema.Field) schema.Fields {
	return schema.Fields{
		name,
		schema.Text("description").Nullable(),
		schema.Enum("voiceMode", "webhook", "hosted"),
		schema.Boolean("enableMessaging").Nullable(),
		modelTier,
		schema.Text("systemPrompt").Nullable(),
		schema.Text("beginMessage").Nullable(),
		schema.Text("voice").Nullable(),
		schema.Text("transferNumber").Nullable().Format(transferFormat),
		schema.List("customTools", tool).Nullable().Max(20),
		schema.Text("voicemailMessage").Nullable().Max(1000),
		schema.Text("callScreeningIdentity").Nullable(),
		schema.Text("callScreeningPurpose").Nullable(),
		schema.Enum("sttMode", "fast", "accurate"),
		schema.Enum("ambientSound", "none", "office", "coffee-shop", "outdoor"),
		schema.Enum("denoisingMode", "noise-cancellation", "noise-and-background-speech-cancellation"),
		schema.Integer("maxSilenceMs").Nullable().Min(10_000).Max(3_600_000),
		schema.Number("voiceSpeed").Nullable().Min(0.5).Max(2),
		schema.Number("interruptionSensitivity").Nullable().Min(0).Max(1),
		schema.Boolean("enableBackchannel").Nullable(),
		schema.Enum("language", languages...),
	}
}

// agentDefaults returns the fields of an agent for which nothing was given.
func agentDefaults() schema.Values {
	return schema.Values{
		"description":             nil,
		"voiceMode":               "webhook",
		"enableMessaging":         true,
		"modelTier":               "balanced",
		"systemPrompt":            nil,
		"beginMessage":            nil,
		"voice":                   agentphone.DefaultVoice,
		"transferNumber":          nil,
		"customTools":             nil,
		"voicemailMessage":        nil,
		"callScreeningIdentity":   nil,
		"callScreeningPurpose":    nil,
		"sttMode":                 "fast",
		"ambientSound":            "none",
		"denoisingMode":           "noise-cancellation",
		"maxSilenceMs":            600_000,
		"voiceSpeed":              1,
		"interruptionSensitivity": 0.8,
		"enableBackchannel":       true,
		"language":                "en-US",
	}
}

var languages = []string{
	"af-ZA", "ar-SA", "az-AZ", "bg-BG", "bs-BA", "ca-ES", "cs-CZ", "cy-GB", "da-DK", "de-DE",
	"el-GR", "en-AU", "en-GB", "en-IN", "en-NZ", "en-US", "es-419", "es-ES", "fa-IR", "fi-FI",
	"fil-PH", "fr-CA", "fr-FR", "gl-ES", "he-IL", "hi-IN", "hr-HR", "hu-HU", "hy-AM", "id-ID",
	"is-IS", "it-IT", "ja-JP", "kk-KZ", "kn-IN", "ko-KR", "lt-LT", "lv-LV", "mk-MK", "mr-IN",
	"ms-MY", "ne-NP", "nl-BE", "nl-NL", "no-NO", "pl-PL", "pt-BR", "pt-PT", "ro-RO", "ru-RU",
	"sk-SK", "sl-SI", "sr-RS", "sv-SE", "sw-KE", "ta-IN", "th-TH", "tr-TR", "uk-UA", "ur-IN",
	"vi-VN", "yue-CN", "zh-CN",
}

var voiceOperations = []*operation{
	get("/v1/agents/voices", (*Server).listVoices),
}

// listVoices returns a few voices of each provider, out of the API's hundreds, with nulls where the API has them.
func (s *Server) listVoices(*input) (any, error) {
	return object{"data": []object{
		voice(agentphone.DefaultVoice, "Skylar - Friendly Guide", "agentphone", "female", "American", ""),
		voice("11labs-Marissa", "Marissa", "elevenlabs", "female", "American", "https://voices.example.com/marissa.mp3"),
		voice("cartesia-Brooke", "Brooke", "cartesia", "female", "British", "https://voices.example.com/brooke.mp3"),
		voice("openai-Alloy", "Alloy", "openai", "", "", ""),
	}}, nil
}

func voice(id, name, provider, gender, accent, preview string) object {
	return object{
		"voice_id": id, "voice_name": name, "provider": provider,
		"gender": orNull(gender), "accent": orNull(accent), "preview_audio_url": orNull(preview),
	}
}
