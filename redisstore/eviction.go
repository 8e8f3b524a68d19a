package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// check refuses, before the first claim, a server that may evict keys.
func (s *Store) check(ctx context.Context) error {
	if s.evicting || s.checked.Load() {
		return nil
	}
	var err error
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return s.checkNode(ctx, node) })
	} else {
		err = s.checkNode(ctx, s.client)
	}
	if err == nil {
		s.checked.Store(true)
	}
	return err
}

func (s *Store) checkNode(ctx context.Context, node redis.Cmdable) error {
	config, err := node.ConfigGet(ctx, "maxmemory-policy").Result()
	var refused redis.Error // by the server: the command is renamed, or forbidden to this user
	switch {
	case errors.As(err, &refused):
		logger := s.logger
		if logger == nil {
			logger = slog.Default()
		}
		logger.WarnContext(ctx, "redisstore: cannot read maxmemory-policy; make sure that it is noeviction", "error", err.Error())
		return nil
	case err != nil:
		return wrap(err)
	}
	if policy := config["maxmemory-policy"]; policy != "" && policy != "noeviction" {
		return fmt.Errorf("%w (it is %s)", ErrMayEvict, policy)
	}
	return nil
}
