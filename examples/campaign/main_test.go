package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
)

func TestMain(m *testing.M) { apitest.TestMain(m, main) }

// crowd is a CSV of n people.
func crowd(n int) string {
	var b strings.Builder
	b.WriteString("name,number,day\n")
	for i := range n {
		fmt.Fprintf(&b, "Person %d,(415) 5%02d-%04d,Monday\n", i, 50+i/10000, i%10000)
	}
	return b.String()
}

// checkOnce checks that each of n people got one text, and the right one.
func checkOnce(t *testing.T, srv *agentphonetest.Server, n int) {
	t.Helper()
	got, twice := map[string]string{}, 0
	for _, m := range srv.Messages() {
		if got[m.ToNumber] != "" {
			twice++
		}
		got[m.ToNumber] = m.Body
	}
	assert.Zero(t, twice, "texts sent twice")
	assert.Len(t, got, n)
	for i := range n {
		assert.Equal(t, fmt.Sprintf("Hi Person %d, see you on Monday!", i), got[fmt.Sprintf("+14155%02d%04d", 50+i/10000, i%10000)])
	}
	t.Logf("%d people, %d texts sent twice, %d lost", n, twice, n-len(got))
}

func testConfig(t *testing.T, api *unreliableAPI) config {
	t.Helper()
	return config{
		name: "test", text: "Hi {{.name}}, see you on {{.day}}!", country: "1", rate: 1e6, settle: time.Second,
		database: filepath.Join(t.TempDir(), "campaign.db"), agentID: api.AgentID(),
	}
}

func TestCampaign_TextsEachPersonOnceInSpiteOfFaults(t *testing.T) {
	t.Parallel()
	n := 500
	if s := os.Getenv("CAMPAIGN_TEXTS"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	api := newUnreliableAPI()
	defer api.Close()
	c := testConfig(t, api)
	start := time.Now()
	require.NoError(t, run(t.Context(), c, strings.NewReader(crowd(n)), api.newClient))
	t.Logf("%v", time.Since(start))
	checkOnce(t, api.Server, n)

	require.NoError(t, run(t.Context(), c, strings.NewReader(crowd(n+3)), api.newClient), "once more, with others")
	checkOnce(t, api.Server, n+3)
}

func TestCampaign_ReportsWhatWasRefused(t *testing.T) {
	srv := agentphonetest.NewServer()
	defer srv.Close()
	srv.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: http.StatusUnprocessableEntity})
	db, people := filepath.Join(t.TempDir(), "campaign.db"), filepath.Join(t.TempDir(), "people.csv")
	require.NoError(t, os.WriteFile(people, []byte(crowd(3)+"Nobody,123,Monday\n"), 0o600))
	out, err := campaign(t, srv, srv.Start(), "-people", people, "-database", db).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Regexp(t, `sent +2\nrefused +1\n  \+1415\*\*\*\d{4}: .*422.*\nunknown +0\nno text +1\n  line 5: `, string(out))
	assert.NotContains(t, string(out), srv.APIKey())

	again, err := campaign(t, srv, srv.Start(), "-people", people, "-database", db).CombinedOutput()
	require.NoError(t, err, "%s", again)
	assert.Regexp(t, `sent +2\nrefused +1\n`, string(again), "a second run changes nothing")
	assert.Len(t, srv.Messages(), 2)
}

func TestCampaign_StopsIfTheAccountCannotPay(t *testing.T) {
	poor := agentphonetest.NewServer(agentphonetest.WithoutPaymentMethod())
	defer poor.Close()
	api := newUnreliableAPI()
	defer api.Close()
	c := testConfig(t, api)
	poorClient := func(opts ...agentphone.Option) (*agentphone.Client, error) { return poor.Client(opts...), nil }
	poor.InjectFault(agentphonetest.Fault{Operation: "POST /v1/messages", Status: http.StatusPaymentRequired, Times: -1})
	require.ErrorIs(t, run(t.Context(), c, strings.NewReader(crowd(20)), poorClient), agentphone.ErrPaymentRequired)
	assert.Empty(t, poor.Messages())
	require.NoError(t, run(t.Context(), c, strings.NewReader(crowd(20)), api.newClient))
	checkOnce(t, api.Server, 20)
}

// campaign is a process that runs a campaign.
func campaign(t *testing.T, srv *agentphonetest.Server, url string, args ...string) *exec.Cmd {
	t.Helper()
	env := []string{"AGENTPHONE_API_KEY=" + srv.APIKey(), "AGENTPHONE_BASE_URL=" + url}
	return apitest.Program(t, env, append([]string{"-agent", srv.AgentID(), "-settle", "1s"}, args...)...)
}

// serve serves the API on a port, with its troubles.
func serve(t *testing.T) (api *unreliableAPI, url string) {
	t.Helper()
	api = newUnreliableAPI()
	t.Cleanup(api.Close)
	port := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.cause(r)
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(port.Close)
	return api, port.URL
}

func TestCampaign_CtrlCAndAgain(t *testing.T) {
	api, url := serve(t)
	people := filepath.Join(t.TempDir(), "people.csv")
	require.NoError(t, os.WriteFile(people, []byte(crowd(30)), 0o600))
	args := []string{"-people", people, "-database", filepath.Join(t.TempDir(), "campaign.db"), "-rate", "100"}
	code, out, stderr := apitest.Interrupt(t, campaign(t, api.Server, url, args...), "/30")
	assert.Equal(t, 130, code)
	assert.Contains(t, out, "Run it again to go on.")
	assert.Equal(t, "campaign: interrupted\n", stderr)
	last, err := campaign(t, api.Server, url, args...).CombinedOutput()
	require.NoError(t, err, "%s", last)
	assert.Regexp(t, `sent +30\n`, string(last))
	checkOnce(t, api.Server, 30)
}

// Processes are killed at random moments, and started again. It takes about a minute: so long does River take to notice
// that the process which had a job is gone.
func TestCampaign_KilledAndAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		workers  int
		database func(t *testing.T) string
	}{
		"SQLite":     {1, func(t *testing.T) string { return filepath.Join(t.TempDir(), "campaign.db") }},
		"PostgreSQL": {3, startPostgres},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n, kills = 200, 8
			database := c.database(t)
			api, url := serve(t)
			people := filepath.Join(t.TempDir(), "people.csv")
			require.NoError(t, os.WriteFile(people, []byte(crowd(n)), 0o600))
			worker := func() *exec.Cmd {
				return campaign(t, api.Server, url, "-people", people, "-database", database, "-rate", "15")
			}
			var workers sync.WaitGroup
			for range c.workers {
				workers.Go(func() {
					for range kills / c.workers {
						cmd := worker()
						if !assert.NoError(t, cmd.Start()) {
							return
						}
						time.Sleep(time.Second + rand.N(time.Second))
						_ = cmd.Process.Kill()
						_ = cmd.Wait()
					}
					out, err := worker().CombinedOutput()
					assert.NoError(t, err, "%s", out)
					assert.Regexp(t, regexp.MustCompile(fmt.Sprintf(`sent +%d\nrefused +0\nunknown +0\n`, n)), string(out))
				})
			}
			workers.Wait()
			checkOnce(t, api.Server, n)
		})
	}
}
