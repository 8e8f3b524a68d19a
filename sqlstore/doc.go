// Package sqlstore is an agentphone.Store in a table of SQLite or PostgreSQL: idempotency keys and webhook deliveries that several
// processes share, and that outlive them.
//
//	store, err := sqlstore.OpenSQLite(ctx, "agentphone.db")
//	client, err := agentphone.NewClient(key, agentphone.WithStore(store))
package sqlstore
