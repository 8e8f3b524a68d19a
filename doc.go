// Package agentphone is a client for the AgentPhone API: real US and Canada phone numbers
// for AI agents, with calls that an AI holds, SMS and iMessage, and webhooks.
//
//	client, err := agentphone.NewClientFromEnv() // AGENTPHONE_API_KEY
//	...
//	call, err := client.Calls.CreateAndWait(ctx, agentphone.CreateCallParams{
//		AgentID:      agentID,
//		ToNumber:     "+14155559999",
//		SystemPrompt: "Book a table for two at seven, for Ada.",
//	}, agentphone.WaitParams{TranscriptGrace: 10 * time.Second})
//	if err != nil {
//		return err
//	}
//	for _, said := range call.Dialogue() {
//		fmt.Printf("%s: %s\n", said.Role, said.Content)
//	}
//
// A [Client] has a service for each of the API's resources, and each service a method for each
// operation: context first, parameters by value, then options for the one call
// ([WithResponse], [WithRequestTimeout], ...). [SignupService] gets an account, and with it a
// key, for those who have none.
//
// # Retries
//
// A request is sent again, up to three times ([WithMaxRetries]), where that is safe. The API
// cannot recognise a request that it gets twice, so operations differ:
//
//	                                          safe to repeat   acts once
//	connection never made                     again            again
//	HTTP/2: refused, or gracefully going away again            again
//	429                                       again            again
//	503 with Retry-After                      again            again
//	503 without                               again            outcome unknown
//	408, other 5xx but 501                    again            outcome unknown
//	reset or time-out after sending           again            outcome unknown
//	2xx whose body breaks off                 again            outcome unknown
//	2xx that is not JSON                      error            outcome unknown
//	302, 303                                  error            outcome unknown
//	certificate error, unknown host           error            error
//	all else                                  error            error
//
// Sending a message or a reaction, placing a call, buying a number, creating anything, setting a webhook,
// registering and signing up act once. Where the outcome is unknown the error is [ErrOutcomeUnknown], and the
// method's documentation says where to look before trying again. Reads, updates and deletions, and
// the POSTs that change nothing when repeated, are safe: their methods say "Retried".
//
// The wait before another attempt is what the server asks for (Retry-After, up to
// [WithMaxRetryAfter]), else random and growing ([WithRetryWait]). Each attempt has its own
// time-out ([WithTimeout]); the context limits the whole call, waits included.
//
// # Errors
//
// An answer outside 2xx is an *[APIError]; input refused before anything is sent is a
// *[ValidationError]; no answer is a *[TransportError]; an answer that cannot be read is a
// *[DecodeError]. Ask for the kind with [errors.Is]: [ErrNotFound], [ErrRateLimited],
// [ErrOutcomeUnknown] and so on. No error's text has a URL, a header or the key in it.
//
// # Lists
//
// List returns one [Page]. All iterates over every page, fetching each when it is needed; it may
// be ranged over again and yields an error at most once, last. For All, Limit is the size of a page;
// [Collect] limits the number of items. Reads of pages are retried. To delete what is listed,
// collect it first: items move up as those before them go.
//
//	for number, err := range client.Numbers.All(ctx, agentphone.ListNumbersParams{}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(number.PhoneNumber)
//	}
//
// # Values
//
// In answers null and absent are the zero value; pointers are used only where zero means
// something else. Enums are strings with constants, and words that are not known are kept.
// In requests an empty field is not sent; a pointer ([Ptr]) is used where the zero value means
// something, an [Optional] where null does.
//
// # The key
//
// The key is sent to the scheme, host and port of the base URL and nowhere else: on no redirect
// to another origin, to no recording's or avatar's address. It is in no log record, no error and
// no printed Client.
//
// # Receiving
//
// [NewWebhookHandler] returns an [net/http.Handler] for webhook requests: it checks them, hands events to
// typed callbacks, each delivery once, and answers voice turns ([VoiceResponse]). [VerifyWebhook] and
// [ParseEvent] are its parts, for other servers.
//
// # Testing
//
// Package agentphonetest is the API in memory, with calls that follow a script and faults on
// demand. The client also works with httpmock, activated in any of its ways.
package agentphone
