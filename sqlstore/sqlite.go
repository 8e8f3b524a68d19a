package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"modernc.org/sqlite" // the driver "sqlite"
)

// SQLiteStore is a [Store] in a file of its own.
type SQLiteStore struct {
	*Store
	db *sql.DB
}

const busyTimeout = 5 * time.Second

// OpenSQLite opens a store in a file, which it makes if it does not exist: without a server, for one machine. Several processes may
// open the same file, on a local disk. Every write is on the disk before it is confirmed, and waits up to 5 seconds for that of
// another process.
func OpenSQLite(ctx context.Context, file string, opts ...Option) (*SQLiteStore, error) {
	query := url.Values{"_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "journal_mode(WAL)", "synchronous(FULL)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	db.SetMaxOpenConns(1) // SQLite writes one at a time
	s := &SQLiteStore{New(db, SQLite, opts...), db}
	err = s.Migrate(ctx)
	for began := time.Now(); isBusy(err) && time.Since(began) < busyTimeout && pause(ctx, maxRuns); {
		err = s.Migrate(ctx) // to set up the log of a new file SQLite waits for nobody
	}
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return s, nil
}

// isBusy reports whether a file is locked by another connection.
func isBusy(err error) bool {
	const busy = 5 // SQLITE_BUSY, of which there are kinds
	var failed *sqlite.Error
	return errors.As(err, &failed) && failed.Code()&0xff == busy
}

// Close closes the file.
func (s *SQLiteStore) Close() error { return s.db.Close() }
