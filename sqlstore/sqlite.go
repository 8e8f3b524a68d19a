package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// SQLiteStore is a [Store] in a file of its own.
type SQLiteStore struct {
	*Store
	db *sql.DB
}

// OpenSQLite opens a store in a file, which it makes if it does not exist: without a server, for one machine. Several processes may
// open the same file, on a local disk. Every write is on the disk before it is confirmed, and waits up to 5 seconds for that of
// another process.
func OpenSQLite(ctx context.Context, file string, opts ...Option) (*SQLiteStore, error) {
	query := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	db.SetMaxOpenConns(1) // SQLite writes one at a time
	s := &SQLiteStore{New(db, SQLite, opts...), db}
	if err := s.Migrate(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the file.
func (s *SQLiteStore) Close() error { return s.db.Close() }
