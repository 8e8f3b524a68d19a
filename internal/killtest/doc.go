// Package killtest proves that under idempotency keys nothing takes effect twice and nothing is lost although the processes that
// send are killed at random moments: texts and calls through an API that breaks connections after the effect, reports errors before
// and after it, limits the rate, comes late, and whose lists lag.
//
// The modules redisstore and sqlstore run it on their stores ([Run]). Its own test shows that it finds what goes wrong with a store
// that the processes do not share.
package killtest
