package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/agentphone/agentphone-go/sqlstore"
)

// database holds the jobs and the idempotency keys.
type database struct {
	*sql.DB
	driver riverdriver.Driver[*sql.Tx]
	store  *sqlstore.Store
}

// open opens a database, a file or postgres://..., and makes its tables unless they exist.
func open(ctx context.Context, name string) (*database, error) {
	db := &database{}
	var err error
	if strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://") {
		if db.DB, err = sql.Open("pgx", name); err != nil {
			return nil, err
		}
		db.driver, db.store = riverdatabasesql.New(db.DB), sqlstore.New(db.DB, sqlstore.PostgreSQL)
	} else {
		options := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
		if db.DB, err = sql.Open("sqlite", "file:"+url.PathEscape(name)+"?"+options.Encode()); err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(1) // SQLite writes one at a time
		db.driver, db.store = riversqlite.New(db.DB), sqlstore.New(db.DB, sqlstore.SQLite)
	}
	if err = db.migrate(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("the database: %w", err)
	}
	return db, nil
}

func (db *database) migrate(ctx context.Context) error {
	if _, ok := db.driver.(*riverdatabasesql.Driver); ok { // workers that start together do this one after the other
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(1)`); err != nil {
			return err
		}
		defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(1)`) }()
	}
	migrator, err := rivermigrate.New(db.driver, nil)
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	return db.store.Migrate(ctx)
}
