// Package agentphone is a client for the AgentPhone API: real US and Canada phone numbers for AI agents, with calls
// that an AI holds, SMS and iMessage, and webhooks.
//
//	client, err := agentphone.NewClientFromEnv() // AGENTPHONE_API_KEY
//	if err != nil {
//		log.Fatal(err)
//	}
//	call, err := client.Calls.CreateAndWait(ctx, agentphone.CreateCallParams{
//		AgentID:      agentID,
//		ToNumber:     "+14155550123",
//		SystemPrompt: "Book a table for two at seven, for Ada.",
//	}, agentphone.WaitParams{TranscriptGrace: 10 * time.Second})
//
// A [Client] has a service for each of the API's resources, and each service a method for each operation. A method
// takes a context, the ids in the operation's path, its parameters, and options for this request, such as
// [WithResponse] and [WithRequestTimeout]. [SignupService] creates an account and its key.
//
// # Retries
//
// The API cannot recognize a request that it receives twice, so it depends on the operation what is retried, up to
// three times ([WithMaxRetries]). Reads, updates, deletions and a few others are idempotent: their methods say
// "Retried". Placing a call, sending a message or a reaction, buying a number, creating anything, setting a webhook,
// registering and signing up are not, nor what is billed each time: they are retried only if the first attempt
// certainly had no effect.
//
//	                                            idempotent   not idempotent
//	no connection, 429, 503 with Retry-After    retried      retried
//	408, other 5xx, broken connection, timeout  retried      ErrOutcomeUnknown
//	2xx that is no JSON, 302, 303               error        ErrOutcomeUnknown
//	other 3xx and 4xx, 501, wrong certificate   error        error
//
// On [ErrOutcomeUnknown] the request may have taken effect: the method's documentation says where to check before
// trying again. [Retries and safety] has the whole table.
//
// The client waits for as long as the server's Retry-After says ([WithMaxRetryAfter]), or else uses exponential backoff
// with full jitter ([WithRetryWait]). Each attempt has its own timeout ([WithTimeout]); the context limits the whole
// call, retries and waits included.
//
// # Errors
//
// A response with a status other than 2xx is an *[APIError], invalid input a *[ValidationError] (nothing was sent), a
// request without a response a *[TransportError], and a response that cannot be decoded a *[DecodeError]. [errors.Is]
// reports the kind: [ErrNotFound], [ErrRateLimited], [ErrOutcomeUnknown] and so on. The text of an error has no URL,
// header or key in it.
//
// # Lists
//
// List returns one [Page]. All iterates over all pages and fetches each when it is needed; it may be ranged over more
// than once, and yields at most one error, as its last. Limit is the size of a page; [Collect] limits the number of
// items. Deleting while listing skips items, since later ones move up: collect them first.
//
// # Values
//
// In responses null and absent are the zero value, and there are pointers only where zero means something else. Enums
// are strings with constants; unknown ones are kept. In requests an empty field is not sent. A field is a pointer
// ([Ptr]) if its zero value means something, an [Optional] if null does.
//
// # The API key
//
// The key is sent to the scheme, host and port of the base URL and nowhere else: not on a redirect to another origin,
// not to the address of a recording or an avatar. It is in no log record, no error and no printed [Client].
//
// # Webhooks and tests
//
// [NewWebhookHandler] returns an [http.Handler] that verifies webhook requests, calls back with typed events, each
// delivery once, and answers voice turns ([VoiceResponse]). [VerifyWebhook] and [ParseEvent] do the same work in other
// servers.
//
// Package agentphonetest is the API in memory, with calls that follow a script and faults on demand.
//
// [Retries and safety]: https://github.com/agentphone/agentphone-go/blob/main/docs/retries.md
package agentphone
