package sqlstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/agentphone/agentphone-go"
)

// Store is an [agentphone.Store] in a table of a database. Each operation is one statement, whatever the isolation of the database's
// transactions is by default. The database's clock decides. It is safe for concurrent use.
type Store struct {
	db      *sql.DB
	dialect Dialect
	table   string
	sql     statements
}

// Option configures a [Store].
type Option func(*Store)

// WithTable sets the name of the table, "agentphone_claims" by default; it may have a schema before a point.
func WithTable(name string) Option { return func(s *Store) { s.table = name } }

// ErrNotMigrated reports that the table does not exist.
var ErrNotMigrated = errors.New("sqlstore: the table does not exist: call Migrate")

var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$`)

// New returns a store on a database, which the caller closes. Before its first use the table must have been made by
// [Store.Migrate]. For SQLite see also [OpenSQLite]. A claim on a database that is nil, of an unknown dialect, or with a table whose
// name is no identifier, is an error.
func New(db *sql.DB, dialect Dialect, opts ...Option) *Store {
	s := &Store{db: db, dialect: dialect, table: "agentphone_claims"}
	for _, opt := range opts {
		opt(s)
	}
	s.sql = dialect.statements(s.table)
	return s
}

func (s *Store) check() error {
	switch {
	case s.db == nil:
		return errors.New("sqlstore: the database is nil")
	case !s.dialect.known():
		return errors.New("sqlstore: unknown dialect")
	case !tableName.MatchString(s.table):
		return errors.New("sqlstore: the table's name is not an identifier")
	}
	return nil
}

// Migrate makes the table, unless it exists. Any number of processes may call it at a time.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.check(); err != nil {
		return err
	}
	for _, statement := range s.sql.migrate {
		err := s.runWhile(ctx, wasMadeMeanwhile, func(q querier) error {
			_, err := q.ExecContext(ctx, statement)
			return err
		})
		if err != nil {
			return fmt.Errorf("sqlstore: migrate: %w", err)
		}
	}
	return nil
}

// Prune deletes what is past its retention, and returns how many keys that were. Call it now and then; nothing but the size of the
// table depends on it.
func (s *Store) Prune(ctx context.Context) (int64, error) {
	if err := s.check(); err != nil {
		return 0, err
	}
	return s.exec(ctx, s.sql.prune)
}

// exec runs a statement and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, statement string, args ...any) (changed int64, err error) {
	err = s.run(ctx, func(q querier) error {
		result, err := q.ExecContext(ctx, statement, args...)
		if err == nil {
			changed, err = result.RowsAffected()
		}
		return err
	})
	if err != nil {
		return 0, s.wrap(err)
	}
	return changed, nil
}

const held, completed = 1, 2

// Claim implements [agentphone.Store].
func (s *Store) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	switch {
	case key == "":
		return nil, errors.New("sqlstore: the key is empty")
	case opts.Lease <= 0 || opts.Retention <= 0:
		return nil, errors.New("sqlstore: lease and retention must be positive")
	}
	token := rand.Text()
	var (
		owner               string
		status              int
		now, expires, first int64
		lapsed              sql.NullInt64
		note, value         []byte
	)
	err := s.run(ctx, func(q querier) error {
		return q.QueryRowContext(ctx, s.sql.claim, stored(key), token, opts.Lease.Microseconds(), opts.Retention.Microseconds(), nonNil(opts.Note)).
			Scan(&owner, &status, &now, &expires, &first, &lapsed, &note, &value)
	})
	if err != nil {
		return nil, s.wrap(err)
	}
	c := &agentphone.Claim{Key: key, Now: time.UnixMicro(now)}
	switch {
	case status == completed:
		c.Status, c.Value = agentphone.ClaimCompleted, value
	case owner != token:
		c.Status, c.Note, c.RetryAfter = agentphone.ClaimHeld, note, time.UnixMicro(expires).Sub(c.Now)
	default:
		c.Status, c.Token, c.Expires, c.FirstAt = agentphone.ClaimGranted, token, time.UnixMicro(expires), time.UnixMicro(first)
		if lapsed.Valid {
			c.LapsedAt, c.Note = time.UnixMicro(lapsed.Int64), note
		}
	}
	return c, nil
}

// Renew implements [agentphone.Store].
func (s *Store) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	return s.change(ctx, s.sql.renew, c, max(lease, 0).Microseconds(), nonNil(note))
}

// Complete implements [agentphone.Store].
func (s *Store) Complete(ctx context.Context, c *agentphone.Claim, value []byte) error {
	return s.change(ctx, s.sql.complete, c, nonNil(value))
}

// Release implements [agentphone.Store].
func (s *Store) Release(ctx context.Context, c *agentphone.Claim) error {
	return s.change(ctx, s.sql.release, c)
}

func (s *Store) change(ctx context.Context, statement string, c *agentphone.Claim, args ...any) error {
	if err := s.check(); err != nil {
		return err
	}
	if c == nil || c.Token == "" {
		return agentphone.ErrClaimLost
	}
	changed, err := s.exec(ctx, statement, append([]any{stored(c.Key), c.Token}, args...)...)
	if err != nil {
		return err
	}
	if changed == 0 {
		return agentphone.ErrClaimLost
	}
	return nil
}

// maxStored is the length in bytes of the longest key that is stored as it is. PostgreSQL has at most 2,704 bytes in an index.
const maxStored = 2048

// stored returns a key as it is in the table: of a longer one the beginning and a hash, which are longer than what is stored as it is.
func stored(key string) []byte {
	if len(key) <= maxStored {
		return []byte(key)
	}
	sum := sha256.Sum256([]byte(key))
	return append([]byte(key[:maxStored]), sum[:]...)
}

// nonNil keeps what is empty apart from NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (s *Store) wrap(err error) error {
	const undefinedTable = "42P01"
	if sqlState(err) == undefinedTable || strings.Contains(err.Error(), "no such table") {
		return fmt.Errorf("%w (%s)", ErrNotMigrated, s.table)
	}
	return fmt.Errorf("sqlstore: %w", err)
}
