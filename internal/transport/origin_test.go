package transport_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestHeader_IsTheSameOnEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		base, err := url.Parse(agentphone.DefaultBaseURL)
		require.NoError(t, err)
		jar.SetCookies(base, []*http.Cookie{{Name: "jar", Value: "2"}})
		var seen []http.Header
		client, err := agentphone.NewClient(apitest.Key, agentphone.WithHTTPClient(&http.Client{
			Jar: jar,
			Transport: apitest.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
				seen = append(seen, r.Header.Clone())
				for name := range r.Header {
					r.Header.Add(name, "spoiled")
				}
				if len(seen) < 3 {
					return apitest.Response(503, ""), nil
				}
				return apitest.Response(200, `{"id":"num_1"}`), nil
			}),
		}))
		require.NoError(t, err)
		_, err = client.Numbers.Get(t.Context(), "num_1",
			agentphone.WithRequestHeader("Cookie", "own=1"), agentphone.WithRequestHeader("X-Trace", "t"), agentphone.WithRequestHeader("Accept", "application/vnd.x+json"))
		require.NoError(t, err)
		require.Len(t, seen, 3)
		for _, h := range seen {
			require.Equal(t, []string{"own=1; jar=2"}, h["Cookie"])
			require.Equal(t, []string{"t"}, h["X-Trace"])
			require.Equal(t, []string{"application/vnd.x+json"}, h["Accept"])
			require.Equal(t, []string{"Bearer " + apitest.Key}, h["Authorization"])
			require.Len(t, h["User-Agent"], 1)
			require.Len(t, h, 5)
		}
	})
}
