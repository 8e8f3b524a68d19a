package sqlstore_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/faulttest"
	"github.com/agentphone/agentphone-go/sqlstore"
)

func TestPostgreSQLFaults_NothingIsSentTwiceAndNothingIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	server := startPostgres(t)
	require.NoError(t, sqlstore.New(server.open(t), sqlstore.PostgreSQL).Migrate(t.Context()))
	proxy := faulttest.NewProxy(t, server.address())
	faulttest.Run(t, func() agentphone.Store {
		return sqlstore.New(openPostgres(t, proxy.Address), sqlstore.PostgreSQL)
	}, func() {
		server.pause()
		time.Sleep(500 * time.Millisecond)
		server.resume()
	}, func() {
		server.kill()
		server.start(t)
	}, proxy.LoseNextResponse)
}

// change is a change of a claim.
type change = func(context.Context, *sqlstore.Store, *agentphone.Claim) error

func renew(ctx context.Context, s *sqlstore.Store, c *agentphone.Claim) error {
	return s.Renew(ctx, c, anHour.Lease, []byte("renewed"))
}

func complete(ctx context.Context, s *sqlstore.Store, c *agentphone.Claim) error {
	return s.Complete(ctx, c, []byte("v"))
}

func release(ctx context.Context, s *sqlstore.Store, c *agentphone.Claim) error {
	return s.Release(ctx, c)
}

// A statement whose response is lost is an error, and has been carried out.
func TestPostgreSQL_LostResponseIsAnErrorAndLosesNothing(t *testing.T) {
	server := startPostgres(t)
	require.NoError(t, sqlstore.New(server.open(t), sqlstore.PostgreSQL).Migrate(t.Context()))
	for name, test := range map[string]struct {
		change change
		want   agentphone.Claim // of the key afterwards
	}{
		"claim":    {nil, agentphone.Claim{Status: agentphone.ClaimHeld, Note: anHour.Note}},
		"renew":    {renew, agentphone.Claim{Status: agentphone.ClaimHeld, Note: []byte("renewed")}},
		"complete": {complete, agentphone.Claim{Status: agentphone.ClaimCompleted, Value: []byte("v")}},
		"release":  {release, agentphone.Claim{Status: agentphone.ClaimGranted}},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := faulttest.NewProxy(t, server.address())
			db := openPostgres(t, proxy.Address)
			db.SetMaxOpenConns(1)
			s := sqlstore.New(db, sqlstore.PostgreSQL)
			for _, end := range []change{release, complete} { // prepares the statements
				c, err := s.Claim(t.Context(), "warm "+name, anHour)
				require.NoError(t, err)
				require.NoError(t, renew(t.Context(), s, c))
				require.NoError(t, end(t.Context(), s, c))
			}
			var err error
			if test.change == nil {
				proxy.LoseNextResponse()
				_, err = s.Claim(t.Context(), name, anHour)
			} else {
				c, claimErr := s.Claim(t.Context(), name, anHour)
				require.NoError(t, claimErr)
				proxy.LoseNextResponse()
				err = test.change(t.Context(), s, c)
			}
			require.Error(t, err)
			require.NotErrorIs(t, err, agentphone.ErrClaimLost)
			require.Equal(t, 1, proxy.Lost())
			c, err := s.Claim(t.Context(), name, anHour)
			require.NoError(t, err)
			assert.Equal(t, test.want.Status, c.Status)
			assert.Equal(t, string(test.want.Note), string(c.Note))
			assert.Equal(t, string(test.want.Value), string(c.Value))
		})
	}
}

func TestPostgreSQL_KilledServerForgetsNothing(t *testing.T) {
	server := startPostgres(t)
	s := sqlstore.New(server.open(t), sqlstore.PostgreSQL)
	require.NoError(t, s.Migrate(t.Context()))
	faulttest.RequireKeepsWhatItConfirmed(t, s, server.kill, func() { server.start(t) })
}

func TestPostgreSQL_ClockOfTheClientDoesNotMatter(t *testing.T) {
	server := startPostgres(t)
	require.NoError(t, sqlstore.New(server.open(t), sqlstore.PostgreSQL).Migrate(t.Context()))
	faulttest.RequireClockOfTheClientDoesNotMatter(t, func(t *testing.T) (agentphone.Store, func() error) {
		db, err := sql.Open("pgx", server.url())
		require.NoError(t, err)
		return sqlstore.New(db, sqlstore.PostgreSQL), db.Close
	})
}

// A process that has locked the file, with a transaction that it then does not commit, since it is killed.
func TestSQLiteFaults_NothingIsSentTwiceAndNothingIsLost(t *testing.T) {
	if file := os.Getenv("SQLSTORE_LOCKED"); file != "" {
		lockAndHang(t, file)
	}
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	file := filepath.Join(t.TempDir(), "locked.db")
	lock := func(d time.Duration) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), "SQLSTORE_LOCKED="+file)
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line, err := bufio.NewReader(stdout).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "locked\n", line)
		time.Sleep(d)
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
	}
	short := func() { lock(300 * time.Millisecond) }
	faulttest.Run(t, func() agentphone.Store {
		s, err := sqlstore.OpenSQLite(t.Context(), file)
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		return s
	}, short, short, short, short, func() { lock(6 * time.Second) }) // a store waits for 5 s
}

// lockAndHang alters each claim in a transaction, and waits to be killed.
func lockAndHang(t *testing.T, file string) {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: file, RawQuery: "_pragma=busy_timeout(20000)&_txlock=immediate"}).String())
	require.NoError(t, err)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "DELETE FROM agentphone_claims")
	require.NoError(t, err)
	fmt.Println("locked")
	select {}
}

// While another process has the file locked for longer than the store waits, a call is a temporary error, and nothing is sent.
func TestSQLite_LockedFileSendsNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "locked.db")
	s, err := sqlstore.OpenSQLite(t.Context(), file)
	require.NoError(t, err)
	defer func() { _ = s.Close() }()
	other, err := sql.Open("sqlite", file+"?_txlock=immediate")
	require.NoError(t, err)
	defer func() { _ = other.Close() }()
	tx, err := other.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	srv := agentphonetest.NewServer()
	defer srv.Close()
	send := func() error {
		_, err := srv.Client(agentphone.WithStore(s)).Messages.Send(t.Context(),
			agentphone.SendMessageParams{AgentID: srv.AgentID(), ToNumber: "+14155550123", Body: "hi"}, agentphone.WithIdempotencyKey("k"))
		return err
	}
	require.ErrorIs(t, send(), agentphone.ErrTemporary)
	assert.Empty(t, srv.Messages())
	require.NoError(t, tx.Rollback())
	require.NoError(t, send())
	assert.Len(t, srv.Messages(), 1)
}
