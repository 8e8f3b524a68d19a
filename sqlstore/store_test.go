package sqlstore_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/agentphonetest"
	"github.com/agentphone/agentphone-go/sqlstore"
)

func openSQLite(t *testing.T) *sqlstore.SQLiteStore {
	t.Helper()
	s, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "a b%c?.db"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSQLite_IsAStore(t *testing.T) {
	s := openSQLite(t)
	agentphonetest.TestStore(t, func(*testing.T) agentphone.Store { return s })
}

func TestPostgreSQL_IsAStore(t *testing.T) {
	db := startPostgres(t).open(t)
	s := sqlstore.New(db, sqlstore.PostgreSQL)
	require.NoError(t, s.Migrate(t.Context()))
	agentphonetest.TestStore(t, func(*testing.T) agentphone.Store { return s })
}

var anHour = agentphone.ClaimOptions{Lease: time.Minute, Retention: time.Hour, Note: []byte("n")}

// A process that is killed leaves what it completed and what it held to the next.
func TestSQLite_FileOutlivesTheKillOfItsProcess(t *testing.T) {
	if file := os.Getenv("SQLSTORE_KILLED"); file != "" {
		claimAndHang(t, file)
	}
	file := filepath.Join(t.TempDir(), "killed.db")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "SQLSTORE_KILLED="+file)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "claimed\n", line)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())

	s, err := sqlstore.OpenSQLite(t.Context(), file)
	require.NoError(t, err)
	defer func() { _ = s.Close() }()
	done, err := s.Claim(t.Context(), "done", anHour)
	require.NoError(t, err)
	assert.Equal(t, agentphone.ClaimCompleted, done.Status)
	assert.Equal(t, "result", string(done.Value))
	held, err := s.Claim(t.Context(), "held", anHour)
	require.NoError(t, err)
	assert.Equal(t, agentphone.ClaimHeld, held.Status)
	assert.Equal(t, "n", string(held.Note))
}

// claimAndHang completes a claim, holds another, and waits to be killed.
func claimAndHang(t *testing.T, file string) {
	s, err := sqlstore.OpenSQLite(t.Context(), file)
	require.NoError(t, err)
	c, err := s.Claim(t.Context(), "done", anHour)
	require.NoError(t, err)
	require.NoError(t, s.Complete(t.Context(), c, []byte("result")))
	_, err = s.Claim(t.Context(), "held", anHour)
	require.NoError(t, err)
	fmt.Println("claimed")
	select {}
}

// Each store has a connection of its own to the file, as one of another process would.
func TestSQLite_FileIsShared(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shared.db")
	var stores []agentphone.Store
	for range 4 {
		s, err := sqlstore.OpenSQLite(t.Context(), file)
		require.NoError(t, err)
		defer func() { _ = s.Close() }()
		stores = append(stores, s)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	granted := map[int]int{}
	for _, s := range stores {
		all.Go(func() {
			for key := range 50 {
				c, err := s.Claim(t.Context(), string(rune('a'+key)), anHour)
				if assert.NoError(t, err) && c.Status == agentphone.ClaimGranted {
					mu.Lock()
					granted[key]++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	assert.Len(t, granted, 50)
	for key, n := range granted {
		assert.Equal(t, 1, n, key)
	}
}

func onEach(t *testing.T, test func(t *testing.T, db *sql.DB, dialect sqlstore.Dialect)) {
	t.Run("SQLite", func(t *testing.T) {
		db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "x.db"))
		require.NoError(t, err)
		defer func() { _ = db.Close() }()
		test(t, db, sqlstore.SQLite)
	})
	t.Run("PostgreSQL", func(t *testing.T) { test(t, startPostgres(t).open(t), sqlstore.PostgreSQL) })
}

func TestStore_TableThatWasNotMigratedIsAClearError(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB, dialect sqlstore.Dialect) {
		s := sqlstore.New(db, dialect)
		_, err := s.Claim(t.Context(), "k", anHour)
		require.ErrorIs(t, err, sqlstore.ErrNotMigrated)
		assert.EqualError(t, err, "sqlstore: the table does not exist: call Migrate (agentphone_claims)")
		_, err = s.Prune(t.Context())
		require.ErrorIs(t, err, sqlstore.ErrNotMigrated)
		require.NoError(t, s.Migrate(t.Context()))
		require.NoError(t, s.Migrate(t.Context()), "again")
		_, err = s.Claim(t.Context(), "k", anHour)
		require.NoError(t, err)
	})
}

// The replicas of a service that is deployed for the first time make the table all at once.
func TestStoreMigrate_ReplicasThatStartTogetherAllSucceed(t *testing.T) {
	const replicas = 8
	together := func(t *testing.T, migrate func(i int) error) {
		t.Helper()
		errs := make([]error, replicas)
		var done sync.WaitGroup
		for i := range replicas {
			done.Go(func() { errs[i] = migrate(i) })
		}
		done.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		server := startPostgres(t)
		for _, level := range []string{"read committed", "serializable"} {
			var dbs [replicas]*sql.DB
			for i := range dbs {
				dbs[i] = openIsolated(t, server, level)
				require.NoError(t, dbs[i].PingContext(t.Context()))
			}
			for round := range 10 {
				table := sqlstore.WithTable(fmt.Sprintf("claims_%s_%d", level[:4], round))
				together(t, func(i int) error { return sqlstore.New(dbs[i], sqlstore.PostgreSQL, table).Migrate(t.Context()) })
				require.NoError(t, sqlstore.New(dbs[0], sqlstore.PostgreSQL, table).Migrate(t.Context()))
			}
		}
	})
	t.Run("SQLite", func(t *testing.T) {
		for range 10 {
			file := filepath.Join(t.TempDir(), "new.db")
			together(t, func(int) error {
				s, err := sqlstore.OpenSQLite(t.Context(), file)
				if err == nil {
					err = s.Close()
				}
				return err
			})
		}
	})
}

func TestStore_PruneDeletesWhatIsPastItsRetention(t *testing.T) {
	onEach(t, func(t *testing.T, db *sql.DB, dialect sqlstore.Dialect) {
		s := sqlstore.New(db, dialect, sqlstore.WithTable("other_claims"))
		require.NoError(t, s.Migrate(t.Context()))
		short := agentphone.ClaimOptions{Lease: time.Millisecond, Retention: time.Millisecond}
		for _, key := range []string{"a", "b"} {
			_, err := s.Claim(t.Context(), key, short)
			require.NoError(t, err)
		}
		_, err := s.Claim(t.Context(), "c", anHour)
		require.NoError(t, err)
		time.Sleep(20 * time.Millisecond)
		n, err := s.Prune(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)
		c, err := s.Claim(t.Context(), "c", anHour)
		require.NoError(t, err)
		assert.Equal(t, agentphone.ClaimHeld, c.Status)
	})
}

func TestStore_BadInputIsAnError(t *testing.T) {
	for name, s := range map[string]*sqlstore.Store{
		"nil database": sqlstore.New(nil, sqlstore.SQLite),
		"no dialect":   sqlstore.New(&sql.DB{}, sqlstore.Dialect{}),
		"bad table":    sqlstore.New(&sql.DB{}, sqlstore.SQLite, sqlstore.WithTable("a; DROP TABLE b")),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Claim(t.Context(), "k", anHour)
			require.ErrorContains(t, err, "sqlstore: ")
			require.Error(t, s.Migrate(t.Context()))
			require.Error(t, s.Release(t.Context(), &agentphone.Claim{Key: "k", Token: "t"}))
		})
	}
}
