package sqlstore_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/internal/apitest"
	"github.com/agentphone/agentphone-go/internal/killtest"
	"github.com/agentphone/agentphone-go/sqlstore"
)

func TestMain(m *testing.M) {
	apitest.TestMain(m, func() {
		killtest.Main(func(store string) (agentphone.Store, error) {
			if !strings.HasPrefix(store, "postgres:") {
				return sqlstore.OpenSQLite(context.Background(), store)
			}
			db, err := sql.Open("pgx", store)
			return sqlstore.New(db, sqlstore.PostgreSQL), err
		})
	})
}

func TestKill_NothingTakesEffectTwiceAndNothingIsLost(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		killtest.Require(t, func(t *testing.T) killtest.Config { return killtest.Standard(2, filepath.Join(t.TempDir(), "kill.db")) })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		killtest.Require(t, func(t *testing.T) killtest.Config {
			p := startPostgres(t)
			require.NoError(t, sqlstore.New(p.open(t), sqlstore.PostgreSQL).Migrate(t.Context()))
			return killtest.Standard(3, p.url())
		})
	})
}
