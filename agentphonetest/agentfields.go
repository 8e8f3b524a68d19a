package agentphonetest

import agentphone "github.com/agentphone/agentphone-go"

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
