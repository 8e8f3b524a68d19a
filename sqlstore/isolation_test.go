package sqlstore_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/internal/apitest"
	"github.com/agentphone/agentphone-go/sqlstore"
)

// openIsolated opens a database whose transactions have an isolation level unless they ask for another, as an administrator may set it.
func openIsolated(t *testing.T, p *postgres, level string) *sql.DB {
	db, err := sql.Open("pgx", "postgres://postgres@"+p.address()+"/postgres?default_transaction_isolation="+url.QueryEscape(level))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(16) // a busy machine takes long to make one
	db.SetMaxIdleConns(16)
	var got string
	require.NoError(t, db.QueryRow("SHOW transaction_isolation").Scan(&got))
	require.Equal(t, level, got)
	return db
}

// PostgreSQL ends one of two transactions that are in each other's way, and asks that it be tried again: SQLSTATE 40001.
func TestPostgreSQL_IsAStoreWhateverTheDefaultIsolation(t *testing.T) {
	server := startPostgres(t)
	for _, level := range []string{"repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			db := openIsolated(t, server, level)
			s := sqlstore.New(db, sqlstore.PostgreSQL)
			require.NoError(t, s.Migrate(t.Context()))
			t.Run("TestStore", func(t *testing.T) {
				agentphonetest.TestStore(t, func(*testing.T) agentphone.Store { return s })
			})
			t.Run("texts", func(t *testing.T) {
				var sent atomic.Int64
				c, _ := apitest.NewClient(t, func(n int, _ apitest.Request) (*http.Response, error) {
					sent.Add(1)
					return apitest.Response(200, fmt.Sprintf(`{"id":"%s %d"}`, level, n)), nil
				}, agentphone.WithStore(s))
				const texts = 200
				errs := make([]error, texts)
				var all sync.WaitGroup
				for i := range texts {
					all.Go(func() {
						_, errs[i] = c.Messages.Send(t.Context(), agentphone.SendMessageParams{NumberID: "num_1", ToNumber: "+14155550123", Body: "hi"},
							agentphone.WithIdempotencyKey(fmt.Sprint(level, i)))
					})
				}
				all.Wait()
				for _, err := range errs {
					assert.NoError(t, err)
				}
				assert.EqualValues(t, texts, sent.Load())
			})
			t.Run("Prune", func(t *testing.T) {
				var all sync.WaitGroup
				for i := range 20 {
					all.Go(func() {
						_, err := s.Prune(t.Context())
						assert.NoError(t, err)
						_, err = s.Claim(t.Context(), fmt.Sprint(level, "short", i), agentphone.ClaimOptions{Lease: 1000, Retention: 1000})
						assert.NoError(t, err)
					})
				}
				all.Wait()
			})
		})
	}
}

// An id of the API is part of a key, and so is that of a sub-account, which is escaped. An index of PostgreSQL has entries of up to 2,704
// bytes.
func TestStore_KeysOfAnyLengthAreTakenToTheLetter(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB, dialect sqlstore.Dialect) {
		s := sqlstore.New(db, dialect)
		require.NoError(t, s.Migrate(t.Context()))
		random := incompressible(1 << 20)
		for _, n := range []int{255, 2047, 2048, 2049, 2080, 2081, 2704, 2705, 8191, 8192, 1 << 20} {
			key := random[:n]
			c, err := s.Claim(t.Context(), key, anHour)
			require.NoError(t, err, n)
			require.Equal(t, agentphone.ClaimGranted, c.Status, n)
			require.Equal(t, key, c.Key)
			require.NoError(t, s.Renew(t.Context(), c, time.Minute, nil))
			held, err := s.Claim(t.Context(), key, anHour)
			require.NoError(t, err)
			require.Equal(t, agentphone.ClaimHeld, held.Status)
			require.NoError(t, s.Complete(t.Context(), c, []byte(fmt.Sprint(n))))
		}
		for _, n := range []int{255, 2048, 2049, 8192, 1 << 20} {
			done, err := s.Claim(t.Context(), random[:n], anHour)
			require.NoError(t, err)
			require.Equal(t, agentphone.ClaimCompleted, done.Status)
			require.Equal(t, fmt.Sprint(n), string(done.Value))
			other, err := s.Claim(t.Context(), random[:n-1]+"!", anHour)
			require.NoError(t, err)
			require.Equal(t, agentphone.ClaimGranted, other.Status)
			require.NoError(t, s.Release(t.Context(), other))
		}
	})
}

// incompressible returns n characters: PostgreSQL compresses what can be.
func incompressible(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
	b, x := make([]byte, n), uint64(1)
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = letters[x>>58]
	}
	return string(b)
}

func TestPostgreSQL_IDsOfAnyLengthSettleAKey(t *testing.T) {
	db := startPostgres(t).open(t)
	s := sqlstore.New(db, sqlstore.PostgreSQL)
	require.NoError(t, s.Migrate(t.Context()))
	sent := 0
	c, _ := apitest.NewClient(t, func(int, apitest.Request) (*http.Response, error) {
		sent++
		return apitest.Response(200, fmt.Sprintf(`{"id":%q}`, incompressible(8000))), nil
	}, agentphone.WithStore(s))
	for range 2 {
		m, err := c.Messages.Send(t.Context(), agentphone.SendMessageParams{NumberID: "num_1", ToNumber: "+14155550123", Body: "hi"}, agentphone.WithIdempotencyKey("k"))
		require.NoError(t, err)
		assert.Len(t, m.ID, 8000)
	}
	assert.Equal(t, 1, sent)
}
