// Package agentphone is a client for the AgentPhone API: real US and Canada phone numbers for AI agents, with AI phone
// calls, SMS and iMessage, and webhooks.
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
// A [Client] has a service for each of the API's resources, and each service has a method for each operation. A method
// takes a context, the ids in the operation's path, its parameters, and options for this request, such as
// [WithResponse] and [WithRequestTimeout]. Most methods send one request, in one attempt or more. One that takes an id
// fails with [ErrNotFound] if there is nothing with that id, and with a *[ValidationError] if no id can be so: it is
// empty or too long, has a slash, a backslash or a control character, or is the name of an operation beside it. [SignupService] creates an account and its key.
//
// # Retries
//
// The API cannot detect a duplicate request. Whether the client retries therefore depends on the operation. Operations
// that are idempotent (reads, updates, deletions and a few others) are retried up to three times ([WithMaxRetries]). An
// operation that is not idempotent (it places a call, sends a message, creates or buys something, sets a webhook, signs
// up, or is billed each time) is retried only if the first attempt certainly had no effect. The documentation of each
// method says which it is.
//
//	                                             idempotent  not idempotent
//	no connection, 429, 503 with Retry-After     retried     retried
//	408, other 5xx, broken connection, timeout   retried     ErrOutcomeUnknown
//	2xx that is not JSON, 302, 303               error       ErrOutcomeUnknown
//	other 3xx and 4xx, 501, invalid certificate  error       error
//
// On [ErrOutcomeUnknown] the request may have taken effect: the method's documentation says where to check before
// retrying. A DELETE whose response was lost, and whose retry finds nothing left to delete, succeeds.
// [Retries and safety] has the whole table.
//
// Before a retry the client waits for as long as the server's Retry-After says ([WithMaxRetryAfter]), or else with
// exponential backoff and full jitter ([WithRetryWait]). Each attempt has its own timeout ([WithTimeout]); the context
// limits the whole request, with its retries and waits.
//
// # Errors
//
// For a response with a status other than 2xx a method returns an *[APIError], for invalid input a *[ValidationError]
// (nothing was sent), without a response a *[TransportError], and for a response that cannot be decoded a
// *[DecodeError]. [errors.Is] reports the kind: [ErrNotFound], [ErrRateLimited], [ErrOutcomeUnknown] and so on. The
// text of an error has no URL and no key in it, and of a response only the status, the request id and, for an APIError,
// what the API's error object says.
//
// # Lists
//
// List returns one [Page]. All iterates over the items of all pages and requests each page when it is needed. It may be
// ranged over more than once, and yields at most one error, as its last. Limit is the size of a page; [Collect] limits
// the number of items. To delete while iterating, [Collect] the items first: an item that is deleted makes later ones
// move to earlier pages.
//
// # Values
//
// In a response a field that is null or absent has its zero value; it is a pointer only if zero means something else.
// Enums are strings with constants, and unknown values are kept. In a request an empty field is not sent. A field of
// parameters is a pointer ([Ptr]) if its zero value means something, and an [Optional] if null does.
//
// # The API key
//
// The key is sent to the scheme, host and port of the base URL and nowhere else: not after a redirect to another
// origin, not to the URL of a recording or an avatar. No log record, no error and no printed [Client] contains it.
//
// # Traces, metrics and logs
//
// [Hooks] observe operations, attempts and deliveries ([WithHooks], [WebhookHandlerConfig]), [WithRoundTripper] wraps the
// transport, and [WithLogger] logs. None of them is given a phone number, a body or the key, except that a RoundTripper
// sees the request. [Traces, metrics and logs] describes them, and which log records are stable.
//
// # Webhooks and tests
//
// [NewWebhookHandler] returns an [http.Handler] that verifies webhook requests, passes each delivery once to a callback
// as a typed event, and answers voice turns ([VoiceResponse]). Which deliveries were handled it keeps in a [Store].
// [VerifyWebhook] and [ParseEvent] are for servers with a handler of their own.
//
// Package agentphonetest is the API in memory, with calls that follow a script and faults on demand.
//
// [Traces, metrics and logs]: https://github.com/agentphone/agentphone-go/blob/main/docs/observability.md
// [Retries and safety]: https://github.com/agentphone/agentphone-go/blob/main/docs/retries.md
package agentphone
