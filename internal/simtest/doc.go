// Package simtest proves by simulation what docs/idempotency.md promises: for one idempotency key an operation takes effect at most
// once, and every caller that gets a result gets the same one, whatever crashes, pauses, is lost or comes late. Each seed is a
// different history of several processes, in a synctest bubble.
package simtest
