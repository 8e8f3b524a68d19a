package contracttest

import (
	"context"

	"github.com/agentphone/agentphone-go"
)

var contactCalls = []contractCall{
	{"Contacts.Create", func(ctx context.Context, x *contract) (any, error) {
		return keep(&x.contact, func(c *agentphone.Contact) string { return c.ID })(
			x.c.Contacts.Create(ctx, full(func(p *agentphone.CreateContactParams) { p.PhoneNumber, p.Email = contractNumber, "ada@example.com" })))
	}},
	{"Contacts.Create", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: "+14155550126", Name: "x"})
	}},
	{"Contacts.Update", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Contacts.Update(ctx, x.contact, full(func(p *agentphone.UpdateContactParams) {
			p.PhoneNumber, p.Email = agentphone.Value(contractNumber), agentphone.Value("ada@example.com")
		}))
	}},
	{"Contacts.Get", func(ctx context.Context, x *contract) (any, error) { return x.c.Contacts.Get(ctx, x.contact) }},
	{"Contacts.List", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Contacts.List(ctx, agentphone.ListContactsParams{Limit: 1, Offset: 1, Search: "x"})
	}},
	{"Contacts.List", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Contacts.List(ctx, agentphone.ListContactsParams{})
	}},
	{"Contacts.All", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.Contacts.All(ctx, agentphone.ListContactsParams{Limit: 1, Offset: 1, Search: "x"}))
	}},
	{"Contacts.Capabilities", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Contacts.Capabilities(ctx, contractNumber)
	}},
	{"Contacts.Delete", func(ctx context.Context, x *contract) (any, error) { return nil, x.c.Contacts.Delete(ctx, x.contact) }},
}

var webhookCalls = []contractCall{
	{"Webhooks.Set", func(ctx context.Context, x *contract) (any, error) { return x.c.Webhooks.Set(ctx, fullWebhook()) }},
	{"Webhooks.Get", func(ctx context.Context, x *contract) (any, error) { return x.c.Webhooks.Get(ctx) }},
	{"Webhooks.Test", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Webhooks.Test(ctx, agentphone.TestWebhookOptions{AgentID: x.agent})
	}},
	{"Webhooks.SetForAgent", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Webhooks.SetForAgent(ctx, x.agent, fullWebhook())
	}},
	{"Webhooks.GetForAgent", func(ctx context.Context, x *contract) (any, error) { return x.c.Webhooks.GetForAgent(ctx, x.agent) }},
	{"Webhooks.TestForAgent", func(ctx context.Context, x *contract) (any, error) { return x.c.Webhooks.TestForAgent(ctx, x.agent) }},
	{"Webhooks.ListDeliveriesForAgent", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Webhooks.ListDeliveriesForAgent(ctx, x.agent, agentphone.ListDeliveriesForAgentParams{Limit: 1, Hours: 1})
	}},
	{"Webhooks.ListDeliveries", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Webhooks.ListDeliveries(ctx, agentphone.ListDeliveriesParams{Limit: 1, Offset: 1, Hours: 1})
	}},
	{"Webhooks.ListDeliveries", func(ctx context.Context, x *contract) (any, error) {
		if x.srv != nil { // an event of a message, which is yet to be delivered again
			x.srv.ReceiveMessage(contractNumber, x.srv.PhoneNumber(), "hello")
		}
		return x.c.Webhooks.ListDeliveries(ctx, agentphone.ListDeliveriesParams{})
	}},
	{"Webhooks.AllDeliveries", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.Webhooks.AllDeliveries(ctx, agentphone.ListDeliveriesParams{Limit: 1, Offset: 1, Hours: 1}))
	}},
	{"Webhooks.DeliveryStats", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Webhooks.DeliveryStats(ctx, agentphone.DeliveryStatsParams{Hours: 1})
	}},
	{"Webhooks.AllTimeDeliveryStats", func(ctx context.Context, x *contract) (any, error) { return x.c.Webhooks.AllTimeDeliveryStats(ctx) }},
	{"Webhooks.DeleteForAgent", func(ctx context.Context, x *contract) (any, error) {
		return nil, x.c.Webhooks.DeleteForAgent(ctx, x.agent)
	}},
	{"Webhooks.Delete", func(ctx context.Context, x *contract) (any, error) { return nil, x.c.Webhooks.Delete(ctx) }},
}

func fullWebhook() agentphone.SetWebhookParams {
	return agentphone.SetWebhookParams{URL: "http://127.0.0.1:1/hook", ContextLimit: agentphone.Ptr(5), TimeoutSeconds: 5}
}

var accountCalls = []contractCall{
	{"Usage.Daily", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Usage.Daily(ctx, agentphone.DailyUsageParams{Days: 2})
	}},
	{"Usage.Monthly", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Usage.Monthly(ctx, agentphone.MonthlyUsageParams{Months: 2})
	}},
	{"Usage.ByNumber", func(ctx context.Context, x *contract) (any, error) { return x.c.Usage.ByNumber(ctx) }},
	{"Usage.ByAgent", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Usage.ByAgent(ctx, agentphone.UsageByAgentParams{Period: agentphone.UsagePeriodWeek, TZ: "UTC"})
	}},
	{"SubAccounts.Create", func(ctx context.Context, x *contract) (any, error) {
		return keep(&x.sub, func(s *agentphone.SubAccount) string { return s.ID })(
			x.c.SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "s"}))
	}},
	{"Registration.Status", func(ctx context.Context, x *contract) (any, error) { return x.c.Registration.Status(ctx) }},
	{"Registration.Register", func(ctx context.Context, x *contract) (any, error) {
		return x.c.Registration.Register(ctx, fullRegistration())
	}},
	{"Registration.Register", func(ctx context.Context, x *contract) (any, error) {
		itself := fullRegistration()
		itself.CreateSubAccount = agentphone.Ptr(false)
		return x.c.Registration.Register(ctx, itself)
	}},
	{"Registration.Status", func(ctx context.Context, x *contract) (any, error) { return x.c.Registration.Status(ctx) }},
	{"SubAccounts.List", func(ctx context.Context, x *contract) (any, error) {
		return x.c.SubAccounts.List(ctx, agentphone.ListSubAccountsParams{Limit: 1, Offset: 1, StatsDays: 1})
	}},
	{"SubAccounts.All", func(ctx context.Context, x *contract) (any, error) {
		return first(x.c.SubAccounts.All(ctx, agentphone.ListSubAccountsParams{Limit: 1, Offset: 1, StatsDays: 1}))
	}},
	{"SubAccounts.Update", func(ctx context.Context, x *contract) (any, error) {
		return x.c.SubAccounts.Update(ctx, x.sub, agentphone.UpdateSubAccountParams{Name: "t"})
	}},
	{"SubAccounts.Delete", func(ctx context.Context, x *contract) (any, error) { return nil, x.c.SubAccounts.Delete(ctx, x.sub) }},
	{"Location.Refresh", func(ctx context.Context, x *contract) (any, error) { return x.c.Location.Refresh(ctx) }},
	{"Location.Get", func(ctx context.Context, x *contract) (any, error) { return x.c.Location.Get(ctx, contractNumber) }},
	{"Numbers.Release", func(ctx context.Context, x *contract) (any, error) { return x.c.Numbers.Release(ctx, x.number) }},
	{"Agents.Delete", func(ctx context.Context, x *contract) (any, error) { return x.c.Agents.Delete(ctx, x.agent) }},
}

func fullRegistration() agentphone.RegisterParams {
	return full(func(p *agentphone.RegisterParams) {
		p.RegistrationType, p.OrganizationType, p.ContactTitle = agentphone.RegistrationStandardBrand, agentphone.OrganizationLLC, agentphone.ContactTitleCEO
		p.Volume, p.UseCases, p.Includes = agentphone.MessageVolumeLow, []agentphone.UseCase{agentphone.UseCaseMarketing}, []agentphone.MessageContent{agentphone.MessageContentLinks}
		p.PhoneNumber, p.Email, p.MessageSamples = contractNumber, "ada@example.com", []string{"Tea Ltd: your tea is ready.", "Tea Ltd: your tea is late."}
		p.Description, p.ConsentFlow = "A description that is long enough for all who read it.", "People tick a box on our site and then confirm by text."
		for _, url := range []*string{&p.WebsiteURL, &p.PrivacyPolicyURL, &p.TermsOfServiceURL, &p.OptInImageURL} {
			*url = "https://example.com"
		}
	})
}
