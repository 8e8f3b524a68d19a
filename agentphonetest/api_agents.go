package agentphonetest

import (
	"maps"
	"net/http"
	"time"

	agentphone "github.com/agentphone/agentphone-go"
)

type agent struct {
	id      string
	created time.Time
	fields  object // as agentDefaults names them, and name
	webhook *webhook
}

func (a *agent) ident() string        { return a.id }
func (a *agent) text(f string) string { return a.fields.text(f) }
func (a *account) agentNamed(id string) (*agent, error) {
	found, ok := a.agents.get(id)
	if !ok {
		return nil, notFound("Agent")
	}
	return found, nil
}

var agentOperations = []*operation{
	get("/v1/agents", (*Server).listAgents, page(100)...),
	post("/v1/agents", (*Server).createAgent, agentFields(text("name").required().atLeast(1))),
	get("/v1/agents/{agent_id}", (*Server).getAgent),
	patch("/v1/agents/{agent_id}", (*Server).updateAgent, agentFields(text("name").orNull().atLeast(1))),
	remove("/v1/agents/{agent_id}", (*Server).deleteAgent),
	post("/v1/agents/{agent_id}/numbers", (*Server).attachNumber, fields{text("numberId").required()}),
	remove("/v1/agents/{agent_id}/numbers/{number_id}", (*Server).detachNumber),
	get("/v1/agents/{agent_id}/calls", (*Server).listAgentCalls, page(100)...),
	get("/v1/agents/{agent_id}/conversations", (*Server).listAgentConversations, page(100)...),
}

func (s *Server) addAgent(acc *account, given object) *agent {
	a := &agent{id: s.id("agt"), created: now(), fields: agentDefaults()}
	a.set(given)
	acc.agents.add(a)
	return a
}

// set takes over the fields that are given. Null clears a field that may be null, gives the
// default back to the voice, and leaves the others alone.
func (a *agent) set(given object) {
	defaults := agentDefaults()
	for _, f := range agentFields(text("name")) {
		v, ok := given[f.name]
		switch {
		case !ok:
		case v != nil || defaults[f.name] == nil && f.name != "name":
			a.fields[f.name] = v
		case f.name == "voice":
			a.fields[f.name] = defaults[f.name]
		}
	}
}

// hostedPrompt refuses a hosted agent without a prompt.
func hostedPrompt(fields object) error {
	if fields.text("voiceMode") == "hosted" && fields.text("systemPrompt") == "" {
		return badField("systemPrompt", "systemPrompt is required when voiceMode is 'hosted'")
	}
	return nil
}

func (a *account) agentView(ag *agent) object {
	v := maps.Clone(ag.fields)
	v["id"] = ag.id
	v["createdAt"] = stamp(ag.created)
	v["numbers"] = views(a.numbersOf(ag.id), (*phone).asAgentNumber)
	return v
}

func (s *Server) listAgents(in *input) (any, error) {
	out := pageOf(in.account.agents.list, in.query, defaultPage, in.account.agentView)
	delete(out, "hasMore") // this list alone does not say
	return out, nil
}

func (s *Server) createAgent(in *input) (any, error) {
	if err := hostedPrompt(in.body); err != nil {
		return nil, err
	}
	return in.account.agentView(s.addAgent(in.account, in.body)), nil
}

func (s *Server) getAgent(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	return in.account.agentView(a), nil
}

func (s *Server) updateAgent(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	changed := &agent{fields: maps.Clone(a.fields)}
	changed.set(in.body)
	if err := hostedPrompt(changed.fields); err != nil {
		return nil, err
	}
	a.fields = changed.fields
	return in.account.agentView(a), nil
}

func (s *Server) deleteAgent(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	for _, n := range in.account.numbersOf(a.id) {
		n.agentID = ""
	}
	// All that it did stays, and is nobody's.
	for _, c := range in.account.conversations.list {
		forget(&c.agentID, a.id)
	}
	for _, c := range in.account.calls.list {
		forget(&c.agentID, a.id)
	}
	for _, m := range in.account.messages.list {
		forget(&m.agentID, a.id)
	}
	in.account.agents.remove(a.id)
	return object{"success": true, "id": a.id, "name": a.text("name")}, nil
}

func forget(id *string, gone string) {
	if *id == gone {
		*id = ""
	}
}

func (s *Server) attachNumber(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
	if err != nil {
		return nil, err
	}
	n, err := in.account.activeNumber(in.body.text("numberId"))
	if err != nil {
		return nil, err
	}
	n.agentID = a.id
	for _, c := range in.account.conversations.where(func(c *conversation) bool { return c.number == n }) {
		c.agentID = a.id
	}
	return object{"agentId": a.id, "number": n.asAgentNumber()}, nil
}

func (s *Server) detachNumber(in *input) (any, error) {
	a, err := in.account.agentNamed(in.path("agent_id"))
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
	n.agentID = ""
	return succeeded, nil
}

// tool is an endpoint that a hosted agent may call.
var tool = group("",
	text("name").required().atLeast(1).atMost(64),
	text("description").required().atLeast(1),
	text("url").required().like(webAddress),
	oneOf("method", "GET", "POST"),
	group("headers").orNull().valuesLike(text("").orNull()),
	group("parameters").orNull(),
	integer("timeoutMs").orNull().atLeast(1000).atMost(120_000),
	boolean("speakDuringExecution").orNull(),
	text("executionMessage").orNull(),
)

var modelTier = oneOf("modelTier", "turbo", "balanced", "max")

// agentFields are what both creation and update take; name comes first and differs.
func agentFields(name field) fields {
	return fields{
		name,
		text("description").orNull(),
		oneOf("voiceMode", "webhook", "hosted"),
		boolean("enableMessaging").orNull(),
		modelTier,
		text("systemPrompt").orNull(),
		text("beginMessage").orNull(),
		text("voice").orNull(),
		text("transferNumber").orNull().like(e164),
		list("customTools", tool).orNull().atMost(20),
		text("voicemailMessage").orNull(),
		text("callScreeningIdentity").orNull(),
		text("callScreeningPurpose").orNull(),
		oneOf("sttMode", "fast", "accurate"),
		oneOf("ambientSound", "none", "office", "coffee-shop", "outdoor"),
		oneOf("denoisingMode", "noise-cancellation", "noise-and-background-speech-cancellation"),
		integer("maxSilenceMs").orNull().atLeast(10_000).atMost(3_600_000),
		number("voiceSpeed").orNull().atLeast(0.5).atMost(2),
		number("interruptionSensitivity").orNull().atLeast(0).atMost(1),
		boolean("enableBackchannel").orNull(),
		oneOf("language", languages...),
	}
}

// agentDefaults are the fields of an agent for which nothing was given; a null stays null.
func agentDefaults() object {
	return object{
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

// The API has hundreds of voices. These are a few of each kind, with nulls where it has them.
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
