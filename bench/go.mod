// The benchmarks have their own module, so that the clients they compare with never reach users.
module github.com/agentphone/agentphone-go/bench

go 1.26.0

require (
	github.com/agentphone/agentphone-go v0.0.0
	github.com/openai/openai-go/v3 v3.96.0
	github.com/twilio/twilio-go v1.31.0
	golang.org/x/time v0.16.0
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/golang/mock v1.6.0 // indirect
	github.com/google/go-querystring v1.2.0 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/tidwall/gjson v1.20.0 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.1 // indirect
	github.com/tidwall/sjson v1.2.5 // indirect
)

replace github.com/agentphone/agentphone-go => ../
