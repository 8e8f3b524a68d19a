// The list of methods: contacts, webhooks, usage, sub-accounts, registration and locations, and at last those that
// delete what the others use.

package methodcalls

import (
	"context"

	"github.com/agentphone/agentphone-go"
)

var contactCalls = []Call{
	{"Contacts.Create", `POST /v1/contacts {"phoneNumber": "+14155550124", "name": "Name", "email": "ada@example.com", "notes": "Notes"}`,
		func(ctx context.Context, x *Session) (any, error) {
			return keep(&x.contact, func(c *agentphone.Contact) string { return c.ID })(
				x.c.Contacts.Create(ctx, full(func(p *agentphone.CreateContactParams) { p.PhoneNumber, p.Email = SomePhone, "ada@example.com" })))
		}},
	{"Contacts.Create", `POST /v1/contacts {"phoneNumber": "+14155550126", "name": "x"}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Contacts.Create(ctx, agentphone.CreateContactParams{PhoneNumber: "+14155550126", Name: "x"})
	}},
	{"Contacts.Update", `PATCH /v1/contacts/ct {"phoneNumber": "+14155550124", "name": "Name", "email": "ada@example.com", "notes": "Notes"}`,
		func(ctx context.Context, x *Session) (any, error) {
			return x.c.Contacts.Update(ctx, x.contact, full(func(p *agentphone.UpdateContactParams) {
				p.PhoneNumber, p.Email = agentphone.Value(SomePhone), agentphone.Value("ada@example.com")
			}))
		}},
	{"Contacts.Get", `GET /v1/contacts/ct`, func(ctx context.Context, x *Session) (any, error) { return x.c.Contacts.Get(ctx, x.contact) }},
	{"Contacts.List", `GET /v1/contacts?limit=5&offset=1&search=a`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Contacts.List(ctx, agentphone.ListContactsParams{Limit: 5, Offset: 1, Search: "a"})
	}},
	{"Contacts.List", `GET /v1/contacts`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Contacts.List(ctx, agentphone.ListContactsParams{})
	}},
	{"Contacts.All", `GET /v1/contacts?limit=5&offset=1&search=a`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Contacts.All(ctx, agentphone.ListContactsParams{Limit: 5, Offset: 1, Search: "a"}))
	}},
	{"Contacts.Capabilities", `GET /v1/contacts/capabilities?phone_number=%2B14155550124`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Contacts.Capabilities(ctx, SomePhone)
	}},
	{"Contacts.Delete", `DELETE /v1/contacts/ct`, func(ctx context.Context, x *Session) (any, error) {
		return nil, x.c.Contacts.Delete(ctx, x.contact)
	}},
}

var webhookCalls = []Call{
	{"Webhooks.Set", `POST /v1/webhooks {"url": "http://127.0.0.1:1/hook", "contextLimit": 4, "timeout": 5}`,
		func(ctx context.Context, x *Session) (any, error) { return x.c.Webhooks.Set(ctx, fullWebhook()) }},
	{"Webhooks.Set", `POST /v1/webhooks {"url": "http://127.0.0.1:1/hook", "contextLimit": 0, "timeout": 60}`,
		func(ctx context.Context, x *Session) (any, error) { // 0 is sent
			none := agentphone.SetWebhookParams{URL: "http://127.0.0.1:1/hook", ContextLimit: agentphone.Ptr(0), TimeoutSeconds: 60}
			return x.c.Webhooks.Set(ctx, none)
		}},
	{"Webhooks.Get", `GET /v1/webhooks`, func(ctx context.Context, x *Session) (any, error) { return x.c.Webhooks.Get(ctx) }},
	{"Webhooks.Test", `POST /v1/webhooks/test?agentId=a {}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Webhooks.Test(ctx, agentphone.TestWebhookOptions{AgentID: x.agent})
	}},
	{"Webhooks.SetForAgent", `POST /v1/agents/a/webhook {"url": "http://127.0.0.1:1/hook", "contextLimit": 4, "timeout": 5}`,
		func(ctx context.Context, x *Session) (any, error) {
			return x.c.Webhooks.SetForAgent(ctx, x.agent, fullWebhook())
		}},
	{"Webhooks.SetForAgent", `POST /v1/agents/a/webhook {"url": "http://127.0.0.1:1/hook"}`,
		func(ctx context.Context, x *Session) (any, error) {
			return x.c.Webhooks.SetForAgent(ctx, x.agent, agentphone.SetWebhookParams{URL: "http://127.0.0.1:1/hook"})
		}},
	{"Webhooks.GetForAgent", `GET /v1/agents/a/webhook`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Webhooks.GetForAgent(ctx, x.agent)
	}},
	{"Webhooks.TestForAgent", `POST /v1/agents/a/webhook/test {}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Webhooks.TestForAgent(ctx, x.agent)
	}},
	{"Webhooks.ListDeliveriesForAgent", `GET /v1/agents/a/webhook/deliveries?hours=2&limit=5`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Webhooks.ListDeliveriesForAgent(ctx, x.agent, agentphone.ListDeliveriesForAgentParams{Limit: 5, Hours: 2})
	}},
	{"Webhooks.ListDeliveries", `GET /v1/webhooks/deliveries?hours=2&limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Webhooks.ListDeliveries(ctx, agentphone.ListDeliveriesParams{Limit: 5, Offset: 1, Hours: 2})
	}},
	{"Webhooks.ListDeliveries", `GET /v1/webhooks/deliveries`, func(ctx context.Context, x *Session) (any, error) {
		if x.srv != nil { // a message's event, which waits for its next attempt
			x.srv.ReceiveMessage(SomePhone, x.srv.PhoneNumber(), "hello")
		}
		return x.c.Webhooks.ListDeliveries(ctx, agentphone.ListDeliveriesParams{})
	}},
	{"Webhooks.AllDeliveries", `GET /v1/webhooks/deliveries?hours=2&limit=5&offset=1`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.Webhooks.AllDeliveries(ctx, agentphone.ListDeliveriesParams{Limit: 5, Offset: 1, Hours: 2}))
	}},
	{"Webhooks.DeliveryStats", `GET /v1/webhooks/deliveries/stats?hours=2`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Webhooks.DeliveryStats(ctx, agentphone.DeliveryStatsParams{Hours: 2})
	}},
	{"Webhooks.AllTimeDeliveryStats", `GET /v1/webhooks/deliveries/all-time`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Webhooks.AllTimeDeliveryStats(ctx)
	}},
	{"Webhooks.DeleteForAgent", `DELETE /v1/agents/a/webhook`, func(ctx context.Context, x *Session) (any, error) {
		return nil, x.c.Webhooks.DeleteForAgent(ctx, x.agent)
	}},
	{"Webhooks.Delete", `DELETE /v1/webhooks`, func(ctx context.Context, x *Session) (any, error) { return nil, x.c.Webhooks.Delete(ctx) }},
}

func fullWebhook() agentphone.SetWebhookParams {
	return agentphone.SetWebhookParams{URL: "http://127.0.0.1:1/hook", ContextLimit: agentphone.Ptr(4), TimeoutSeconds: 5}
}

var accountCalls = []Call{
	{"Usage.Daily", `GET /v1/usage/daily?days=2`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Usage.Daily(ctx, agentphone.DailyUsageParams{Days: 2})
	}},
	{"Usage.Monthly", `GET /v1/usage/monthly?months=2`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Usage.Monthly(ctx, agentphone.MonthlyUsageParams{Months: 2})
	}},
	{"Usage.ByNumber", `GET /v1/usage/by-number`, func(ctx context.Context, x *Session) (any, error) { return x.c.Usage.ByNumber(ctx) }},
	{"Usage.ByAgent", `GET /v1/usage/by-agent?period=week&tz=UTC`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Usage.ByAgent(ctx, agentphone.UsageByAgentParams{Period: agentphone.UsagePeriodWeek, TZ: "UTC"})
	}},
	{"SubAccounts.Create", `POST /v1/sub-accounts {"name": "s"}`, func(ctx context.Context, x *Session) (any, error) {
		return keep(&x.sub, func(s *agentphone.SubAccount) string { return s.ID })(
			x.c.SubAccounts.Create(ctx, agentphone.CreateSubAccountParams{Name: "s"}))
	}},
	{"Registration.Status", `GET /v1/register/status`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Registration.Status(ctx)
	}},
	{"Registration.Register", `POST /v1/register {` + registration + `, "create_sub_account": true}`,
		func(ctx context.Context, x *Session) (any, error) {
			return x.c.Registration.Register(ctx, fullRegistration())
		}},
	{"Registration.Register", `POST /v1/register {` + registration + `, "create_sub_account": false}`,
		func(ctx context.Context, x *Session) (any, error) {
			itself := fullRegistration()
			itself.CreateSubAccount = agentphone.Ptr(false)
			return x.c.Registration.Register(ctx, itself)
		}},
	{"Registration.Status", `GET /v1/register/status`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Registration.Status(ctx)
	}},
	{"SubAccounts.List", `GET /v1/sub-accounts?limit=5&offset=1&stats_days=2`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.SubAccounts.List(ctx, agentphone.ListSubAccountsParams{Limit: 5, Offset: 1, StatsDays: 2})
	}},
	{"SubAccounts.All", `GET /v1/sub-accounts?limit=5&offset=1&stats_days=2`, func(ctx context.Context, x *Session) (any, error) {
		return first(x.c.SubAccounts.All(ctx, agentphone.ListSubAccountsParams{Limit: 5, Offset: 1, StatsDays: 2}))
	}},
	{"SubAccounts.Update", `PATCH /v1/sub-accounts/s {"name": "t"}`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.SubAccounts.Update(ctx, x.sub, agentphone.UpdateSubAccountParams{Name: "t"})
	}},
	{"SubAccounts.Delete", `DELETE /v1/sub-accounts/s`, func(ctx context.Context, x *Session) (any, error) {
		return nil, x.c.SubAccounts.Delete(ctx, x.sub)
	}},
	{"Location.Refresh", `POST /v1/location/refresh {}`, func(ctx context.Context, x *Session) (any, error) { return x.c.Location.Refresh(ctx) }},
	{"Location.Get", `GET /v1/location/+14155550124`, func(ctx context.Context, x *Session) (any, error) {
		return x.c.Location.Get(ctx, SomePhone)
	}},
	{"Numbers.Release", `DELETE /v1/numbers/n`, func(ctx context.Context, x *Session) (any, error) { return x.c.Numbers.Release(ctx, x.number) }},
	{"Agents.Delete", `DELETE /v1/agents/a`, func(ctx context.Context, x *Session) (any, error) { return x.c.Agents.Delete(ctx, x.agent) }},
}

// registration is what fullRegistration is sent as, without create_sub_account.
const registration = `
	"registration_type": "standard_brand", "first_name": "FirstName", "last_name": "LastName", "email": "ada@example.com",
	"phone_number": "+14155550124", "contact_title": "ceo", "contact_title_other": "ContactTitleOther",
	"business_name": "BusinessName", "brand_name": "BrandName", "organization_type": "llc", "ein": "EIN",
	"website_url": "https://example.com/site", "industry": "Industry", "business_regions": ["BusinessRegions"],
	"street_address": "StreetAddress", "street_address_2": "StreetAddress2", "city": "City", "state": "State",
	"zip_code": "ZipCode", "country": "Country", "planned_numbers": 5,
	"description": "A description that is long enough for all who read it.", "use_cases": ["marketing"], "volume": "low",
	"message_samples": ["Tea Ltd: your tea is ready.", "Tea Ltd: your tea is late."],
	"consent_flow": "People tick a box on our site and then confirm by text.",
	"privacy_policy_url": "https://example.com/privacy", "terms_of_service_url": "https://example.com/terms",
	"opt_in_image_url": "https://example.com/image", "includes": ["links"], "link_sample": "LinkSample"`

func fullRegistration() agentphone.RegisterParams {
	return full(func(p *agentphone.RegisterParams) {
		p.RegistrationType, p.OrganizationType = agentphone.RegistrationStandardBrand, agentphone.OrganizationLLC
		p.ContactTitle, p.Volume = agentphone.ContactTitleCEO, agentphone.MessageVolumeLow
		p.UseCases = []agentphone.UseCase{agentphone.UseCaseMarketing}
		p.Includes = []agentphone.MessageContent{agentphone.MessageContentLinks}
		p.PhoneNumber, p.Email = SomePhone, "ada@example.com"
		p.MessageSamples = []string{"Tea Ltd: your tea is ready.", "Tea Ltd: your tea is late."}
		p.Description = "A description that is long enough for all who read it."
		p.ConsentFlow = "People tick a box on our site and then confirm by text."
		p.WebsiteURL, p.PrivacyPolicyURL = "https://example.com/site", "https://example.com/privacy"
		p.TermsOfServiceURL, p.OptInImageURL = "https://example.com/terms", "https://example.com/image"
	})
}
