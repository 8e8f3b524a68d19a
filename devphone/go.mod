module github.com/agentphone/agentphone-go/devphone

go 1.25.0

replace github.com/agentphone/agentphone-go => ../
