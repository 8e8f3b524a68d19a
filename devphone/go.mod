module github.com/agentphone/agentphone-go/devphone

go 1.25.0

replace github.com/agentphone/agentphone-go => ../

require (
	github.com/agentphone/agentphone-go v0.0.0
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v3 v3.0.6
)

require (
	github.com/google/go-querystring v1.2.0 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
)
