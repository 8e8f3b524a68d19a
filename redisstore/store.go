package redisstore

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/agentphone/agentphone-go"
)

// Store is an [agentphone.Store] on Redis or Valkey. Each operation is one script on one key, so it works on a cluster. It is safe
// for concurrent use.
type Store struct {
	client   redis.UniversalClient
	prefix   string
	evicting bool
	logger   *slog.Logger
	checked  atomic.Bool // the maxmemory-policy
}

// Option configures a [Store].
type Option func(*Store)

// WithPrefix sets the prefix of the store's keys in Redis, "agentphone:" by default. Programs that must not share idempotency keys
// or deliveries need different ones.
func WithPrefix(prefix string) Option { return func(s *Store) { s.prefix = prefix } }

// WithEvictionAllowed accepts a server whose maxmemory-policy may evict the store's keys. A key that is evicted is as one that was
// never used: a text can be sent twice.
func WithEvictionAllowed() Option { return func(s *Store) { s.evicting = true } }

// WithLogger sets where the store warns that it could not read the server's maxmemory-policy, slog's default by default.
func WithLogger(logger *slog.Logger) Option { return func(s *Store) { s.logger = logger } }

// ErrMayEvict reports a server whose maxmemory-policy may evict the store's keys.
var ErrMayEvict = errors.New("redisstore: the server's maxmemory-policy may evict idempotency keys; set it to noeviction")

// New returns a store on a client of go-redis, which the caller closes. It sends nothing; the first claim checks the server's
// maxmemory-policy (see [WithEvictionAllowed]).
func New(client redis.UniversalClient, opts ...Option) *Store {
	s := &Store{client: client, prefix: "agentphone:"}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// A key is a hash: s its status (h held, c completed), t the token, e when the lease ends, f when the key was claimed first, l when
// the lease of the claim before ended, r the retention, n the note, v the value. Times are microseconds of the server's clock.
//
// go-redis sends a script again if the connection breaks, so a script that ran already must return the same.
var (
	//go:embed claim.lua
	claimSource string
	//go:embed renew.lua
	renewSource string
	//go:embed complete.lua
	completeSource string
	//go:embed release.lua
	releaseSource string

	claimScript    = redis.NewScript(claimSource)
	renewScript    = redis.NewScript(renewSource)
	completeScript = redis.NewScript(completeSource)
	releaseScript  = redis.NewScript(releaseSource)
)

// Claim implements [agentphone.Store].
func (s *Store) Claim(ctx context.Context, key string, opts agentphone.ClaimOptions) (*agentphone.Claim, error) {
	switch {
	case s.client == nil:
		return nil, errors.New("redisstore: the client is nil")
	case key == "":
		return nil, errors.New("redisstore: the key is empty")
	case opts.Lease <= 0 || opts.Retention <= 0:
		return nil, errors.New("redisstore: lease and retention must be positive")
	}
	if err := s.check(ctx); err != nil {
		return nil, err
	}
	token := rand.Text()
	reply, err := claimScript.Run(ctx, s.client, []string{s.prefix + key},
		token, opts.Lease.Microseconds(), opts.Retention.Microseconds(), opts.Note).StringSlice()
	if err != nil {
		return nil, wrap(err)
	}
	if len(reply) != 6 {
		return nil, fmt.Errorf("redisstore: the claim script returned %d values", len(reply))
	}
	c := &agentphone.Claim{Key: key, Now: moment(reply[1])}
	switch reply[0] {
	case "c":
		c.Status, c.Value = agentphone.ClaimCompleted, []byte(reply[5])
	case "h":
		c.Status, c.Note = agentphone.ClaimHeld, []byte(reply[5])
		c.RetryAfter = moment(reply[2]).Sub(c.Now)
	default:
		c.Status, c.Token = agentphone.ClaimGranted, token
		c.Expires, c.FirstAt, c.LapsedAt, c.Note = moment(reply[2]), moment(reply[3]), moment(reply[4]), []byte(reply[5])
	}
	return c, nil
}

// Renew implements [agentphone.Store].
func (s *Store) Renew(ctx context.Context, c *agentphone.Claim, lease time.Duration, note []byte) error {
	return s.change(ctx, renewScript, c, max(lease, 0).Microseconds(), note)
}

// Complete implements [agentphone.Store].
func (s *Store) Complete(ctx context.Context, c *agentphone.Claim, value []byte) error {
	return s.change(ctx, completeScript, c, value)
}

// Release implements [agentphone.Store].
func (s *Store) Release(ctx context.Context, c *agentphone.Claim) error {
	return s.change(ctx, releaseScript, c)
}

func (s *Store) change(ctx context.Context, script *redis.Script, c *agentphone.Claim, args ...any) error {
	if c == nil || c.Token == "" {
		return agentphone.ErrClaimLost
	}
	done, err := script.Run(ctx, s.client, []string{s.prefix + c.Key}, append([]any{c.Token}, args...)...).Int()
	switch {
	case err != nil:
		return wrap(err)
	case done == 0:
		return agentphone.ErrClaimLost
	}
	return nil
}

func wrap(err error) error { return fmt.Errorf("redisstore: %w", err) }

// moment parses a time of a script; "" is none.
func moment(micros string) time.Time {
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMicro(n)
}
