package networktest

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// A safe request is sent again whatever became of it.

func TestWeatherASafeRequestIsSentAgainWhenItsAnswerIsLost(t *testing.T) {
	t.Parallel()
	for _, b := range weatherBreaks {
		for _, warm := range []bool{false, true} {
			name := b.name
			ops := weatherSafe
			if warm {
				name += "/on a connection that was used before"
				ops = weatherAfter(t, weatherDo("GET", weatherWarmPath, nil), ops)
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, weatherInTurn(b.answer, weatherFine)) }
				weatherEach(t, ops, newServer, func(t *testing.T, _ *weatherHTTP1, r weatherResult) {
					assertLanded(t, r, 1)
					if !warm { // else net/http may have done it by itself
						assert.Equal(t, 2, r.response.Attempts)
					}
				}, b.timeout())
			})
		}
	}
}

func TestWeatherASafeRequestIsSentAgainWhenTheServerFails(t *testing.T) {
	t.Parallel()
	for _, v := range weatherVerdicts {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *weatherHTTP1 {
				return newWeatherHTTP1(t, weatherInTurn(v.answer, v.answer, v.answer, weatherFine))
			}
			weatherEach(t, weatherSafe, newServer, func(t *testing.T, _ *weatherHTTP1, r weatherResult) {
				if v.unknown && !v.decode {
					assertLanded(t, r, 3)
					assert.Equal(t, 4, r.response.Attempts)
					return
				}
				assert.Equal(t, 1, r.deliveries, "deliveries")
				assert.NotErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
				assertStatus(t, r, v.status, v.decode)
			})
		})
	}
}

func TestWeatherASafeRequestIsSentAgainOverHTTP2(t *testing.T) {
	t.Parallel()
	breaks := append(weatherH2Breaks[:len(weatherH2Breaks):len(weatherH2Breaks)],
		weatherH2Break{name: "RST_STREAM REFUSED_STREAM", answer: weatherRST(h2Refused)},
		weatherH2Break{name: "GOAWAY that excludes the stream, then closed", answer: weatherExcludes},
		weatherH2Break{name: "408", answer: weatherH2Status("408")},
		weatherH2Break{name: "502", answer: weatherH2Status("502")})
	for _, b := range breaks {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			ops := weatherAfter(t, weatherListAgents, weatherSafe)
			newServer := func() *weatherHTTP2 { return newWeatherHTTP2(t, true, weatherH2InTurn(b.answer, weatherH2Fine)) }
			weatherEach(t, ops, newServer, func(t *testing.T, _ *weatherHTTP2, r weatherResult) { assertLanded(t, r, 1) }, b.timeout())
		})
	}
}

func TestWeatherASafeRequestGivesUpAfterItsRetriesAndItsOutcomeIsNoMatter(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]weatherAnswer{
		"reset":    weatherResets,
		"cut":      weatherBreaksOff("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
		"502":      weatherSays(502, "<html>"),
		"503":      weatherSays(503, "", "Retry-After: 0"),
		"429":      weatherSays(429, ""),
		"time-out": weatherHangs(""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *weatherHTTP1 { return newWeatherHTTP1(t, answer) }
			weatherEach(t, weatherSafe, newServer, func(t *testing.T, _ *weatherHTTP1, r weatherResult) {
				require.Error(t, r.err)
				assert.NotErrorIs(t, r.err, agentphone.ErrOutcomeUnknown)
				assert.Equal(t, 3, r.deliveries, "one, and two retries")
				assert.Contains(t, r.err.Error(), "attempts=3")
			}, agentphone.WithMaxRetries(2), (&weatherBreak{hangs: name == "time-out"}).timeout())
		})
	}
}

// What would fail in the same way is not tried again, by any operation, and nothing was sent.
func TestWeatherACertificateThatIsWrongIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	all := append(weatherSafe[:len(weatherSafe):len(weatherSafe)], weatherOnce...)
	for name, cert := range map[string]struct{ server, trusted *weatherCert }{
		"unknown authority": {makeWeatherCert("127.0.0.1"), weatherCertificate()},
		"other host":        {makeWeatherCert("127.0.0.2"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newServer := func() *weatherHTTP1 {
				s := serveWeather(t, weatherListen(t), cert.server, weatherFine)
				if cert.trusted != nil {
					s.roots = cert.trusted.roots
				}
				return s
			}
			weatherEach(t, all, newServer, func(t *testing.T, s *weatherHTTP1, r weatherResult) {
				assert.Zero(t, r.deliveries, "deliveries")
				assert.Equal(t, 1, s.connections(), "connections")
				assertPermanent(t, r)
			})
		})
	}
}

func TestWeatherAHostThatIsUnknownIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for _, op := range append(weatherSafe[:len(weatherSafe):len(weatherSafe)], weatherOnce...) {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			dns := newWeatherDNS(t)
			hc := weatherHTTPClient(t, weatherCertificate().roots)
			weatherTransport(hc).DialContext = (&net.Dialer{Resolver: dns.resolver()}).DialContext
			client := weatherClient(t, "https://api.example.com.", agentphone.WithHTTPClient(hc))
			began := time.Now()
			r := weatherResult{err: op.call(context.Background(), client)}
			r.took = time.Since(began)
			assertPermanent(t, r)
			var unknown *net.DNSError
			require.ErrorAs(t, r.err, &unknown)
			assert.True(t, unknown.IsNotFound)
			assert.Equal(t, int32(2), dns.asked.Load(), "one look-up: an A and an AAAA")
		})
	}
}
