package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// querier is what runs a statement: the database, for a transaction of its own, or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

const (
	maxRuns   = 20
	runsPause = 50 * time.Millisecond // at most, between two
)

// run runs a statement, and again if the database rolled it back because another transaction was in its way: as it does to one in two
// where transactions are serializable by default, and to one of those that wait for each other. Then the statement had no effect.
//
// It runs on its own first, in one round trip. After that it asks for an isolation that does not fail for the sake of others: a single
// statement needs no more.
func (s *Store) run(ctx context.Context, statement func(querier) error) error {
	return s.runWhile(ctx, wasRolledBack, statement)
}

// runWhile runs a statement, and again while another was in its way.
func (s *Store) runWhile(ctx context.Context, wasInItsWay func(error) bool, statement func(querier) error) error {
	err := statement(s.db)
	for runs := 1; wasInItsWay(err) && runs < maxRuns; runs++ {
		if !pause(ctx, runs) {
			return err
		}
		err = s.runReadCommitted(ctx, statement)
	}
	return err
}

func (s *Store) runReadCommitted(ctx context.Context, statement func(querier) error) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	if err := statement(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// pause reports false if the context ended before the statement is to run again.
func pause(ctx context.Context, runs int) bool {
	timer := time.NewTimer(rand.N(min(time.Millisecond<<runs, runsPause))) //nolint:gosec // spreading load needs no secrecy
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// wasRolledBack reports whether a transaction certainly had no effect, and is to be tried again.
func wasRolledBack(err error) bool {
	const serializationFailure, deadlockDetected = "40001", "40P01"
	state := sqlState(err)
	return state == serializationFailure || state == deadlockDetected
}

// wasMadeMeanwhile reports whether what a statement makes, unless it exists, was made by another while the statement ran: PostgreSQL looks
// for it first, and then fails to make it. The next run sees it.
func wasMadeMeanwhile(err error) bool {
	const duplicateTable, duplicateObject, uniqueViolation = "42P07", "42710", "23505" // the last is of the database's own tables
	return wasRolledBack(err) || slices.Contains([]string{duplicateTable, duplicateObject, uniqueViolation}, sqlState(err))
}

// sqlState returns the SQLSTATE of an error of PostgreSQL's drivers, or "".
func sqlState(err error) string {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return state.SQLState()
	}
	return ""
}
