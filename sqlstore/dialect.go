package sqlstore

import "strings"

// Dialect is the SQL of a database.
type Dialect struct {
	now   string // microseconds of the database's clock
	bytes string // type
}

var (
	// SQLite is for version 3.42 or later, such as that of modernc.org/sqlite.
	SQLite = Dialect{now: "CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000", bytes: "BLOB"}
	// PostgreSQL is for version 9.5 or later, such as by github.com/jackc/pgx/v5/stdlib.
	PostgreSQL = Dialect{now: "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint", bytes: "BYTEA"}
)

func (d Dialect) known() bool { return d == SQLite || d == PostgreSQL }

type statements struct {
	migrate                                []string
	claim, renew, complete, release, prune string
}

// statements returns the store's SQL. In PostgreSQL parameters need types where nothing tells them; SQLite takes the same casts.
//
// A claim is one upsert, which always returns the row. The claim is granted if the row bears its token: it was new, past its
// retention, or its lease had lapsed. The expressions of an update see the row as it was (t) and what would have been inserted
// (excluded), of which now_at is the present.
func (d Dialect) statements(table string) statements {
	fill := strings.NewReplacer("$table", table, "$index", strings.ReplaceAll(table, ".", "_")+"_keep_until", "$now", d.now, "$bytes", d.bytes,
		"$forgotten", "t.keep_until <= excluded.now_at",
		"$granted", "(t.keep_until <= excluded.now_at OR (t.status = 1 AND t.expires_at <= excluded.now_at))")
	return statements{
		migrate: []string{
			fill.Replace(`CREATE TABLE IF NOT EXISTS $table (
				claim_key  $bytes PRIMARY KEY,
				token      TEXT NOT NULL,
				status     INTEGER NOT NULL, -- 1 held, 2 completed
				now_at     BIGINT NOT NULL,  -- times are microseconds since 1970
				expires_at BIGINT NOT NULL,
				first_at   BIGINT NOT NULL,
				lapsed_at  BIGINT,
				keep_until BIGINT NOT NULL,
				retention  BIGINT NOT NULL,
				note       $bytes,
				value      $bytes
			)`),
			fill.Replace(`CREATE INDEX IF NOT EXISTS $index ON $table (keep_until)`),
		},
		claim: fill.Replace(`INSERT INTO $table AS t (claim_key, token, status, now_at, expires_at, first_at, keep_until, retention, note)
			SELECT $1, CAST($2 AS TEXT), 1, n.now_at, n.now_at + CAST($3 AS BIGINT), n.now_at,
				n.now_at + CAST($3 AS BIGINT) + CAST($4 AS BIGINT), CAST($4 AS BIGINT), $5
			FROM (SELECT $now AS now_at) AS n WHERE true
			ON CONFLICT (claim_key) DO UPDATE SET
				now_at     = excluded.now_at,
				token      = CASE WHEN $granted THEN excluded.token ELSE t.token END,
				status     = CASE WHEN $granted THEN 1 ELSE t.status END,
				expires_at = CASE WHEN $granted THEN excluded.expires_at ELSE t.expires_at END,
				keep_until = CASE WHEN $granted THEN excluded.keep_until ELSE t.keep_until END,
				retention  = CASE WHEN $granted THEN excluded.retention ELSE t.retention END,
				first_at   = CASE WHEN $forgotten THEN excluded.first_at ELSE t.first_at END,
				lapsed_at  = CASE WHEN $forgotten THEN NULL WHEN $granted THEN t.expires_at ELSE t.lapsed_at END,
				note       = CASE WHEN $forgotten THEN excluded.note ELSE t.note END,
				value      = CASE WHEN $forgotten THEN NULL ELSE t.value END
			RETURNING token, status, now_at, expires_at, first_at, lapsed_at, note, value`),
		renew: fill.Replace(`UPDATE $table SET
				expires_at = n.now_at + CAST($3 AS BIGINT), keep_until = n.now_at + CAST($3 AS BIGINT) + retention, note = $4
			FROM (SELECT $now AS now_at) AS n
			WHERE claim_key = $1 AND token = CAST($2 AS TEXT) AND status = 1 AND expires_at > n.now_at`),
		complete: fill.Replace(`UPDATE $table SET status = 2, value = $3, note = NULL, keep_until = $now + retention
			WHERE claim_key = $1 AND token = CAST($2 AS TEXT) AND status = 1`),
		release: fill.Replace(`DELETE FROM $table WHERE claim_key = $1 AND token = CAST($2 AS TEXT) AND status = 1`),
		prune:   fill.Replace(`DELETE FROM $table WHERE keep_until <= $now`),
	}
}
