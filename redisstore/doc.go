// Package redisstore is an agentphone.Store on Redis or Valkey: idempotency keys and webhook deliveries that many processes share.
//
//	store := redisstore.New(redis.NewClient(&redis.Options{Addr: "localhost:6379"}))
//	client, err := agentphone.NewClient(key, agentphone.WithStore(store))
//
// What Redis forgets, the store forgets: the README says how to set it up so that it forgets nothing.
package redisstore
