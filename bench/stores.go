package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/agentphone/agentphone-go"
	"github.com/agentphone/agentphone-go/redisstore"
	"github.com/agentphone/agentphone-go/sqlstore"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/redis/go-redis/v9"
)

// errMissing reports a server that is not installed.
var errMissing = errors.New("not installed")

// openStore is a function that opens a store in a folder of its own. stop ends what it started.
type openStore func(ctx context.Context, dir string) (store agentphone.Store, stop func(), err error)

// The stores with their defaults, which put every write on the disk before it is confirmed; so does the Redis that is started here.
var stores = []struct {
	name string
	open openStore
}{
	{memoryStore, func(context.Context, string) (agentphone.Store, func(), error) {
		return agentphone.NewMemoryStore(agentphone.WithMaxKeys(1 << 30)), func() {}, nil
	}},
	{redisStore, openRedis},
	{sqliteStore, func(ctx context.Context, dir string) (agentphone.Store, func(), error) {
		s, err := sqlstore.OpenSQLite(ctx, filepath.Join(dir, "claims.db"))
		if err != nil {
			return nil, nil, err
		}
		return s, func() { _ = s.Close() }, nil
	}},
	{postgresStore, openPostgres},
}

func openRedis(ctx context.Context, dir string) (agentphone.Store, func(), error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, nil, errMissing
	}
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, binary, "--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "",
		"--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning")
	stopServer, err := startOne(cmd)
	if err != nil {
		return nil, nil, err
	}
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, PoolSize: 64})
	stop := func() { _ = client.Close(); stopServer() }
	if err := eventually(ctx, func() error { return client.Ping(ctx).Err() }); err != nil {
		stop()
		return nil, nil, err
	}
	return redisstore.New(client), stop, nil
}

func openPostgres(ctx context.Context, dir string) (agentphone.Store, func(), error) {
	binaries := postgresBinaries()
	if binaries == "" {
		return nil, nil, errMissing
	}
	process := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 { // who may not run it
		account, err := user.Lookup("postgres")
		if err != nil {
			return nil, nil, errMissing
		}
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		process.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, nil, err
		}
	}
	data := filepath.Join(dir, "data")
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, filepath.Join(binaries, name), args...)
		cmd.Dir, cmd.SysProcAttr = "/", process
		return cmd
	}
	if out, err := command("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync").CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("%w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	stopServer, err := startOne(command("postgres", "-D", data, "-p", port, "-h", "127.0.0.1", "-k", ""))
	if err != nil {
		return nil, nil, err
	}
	db, err := sql.Open("pgx", "postgres://postgres@127.0.0.1:"+port+"/postgres?connect_timeout=1")
	if err != nil {
		stopServer()
		return nil, nil, err
	}
	db.SetMaxOpenConns(64)
	db.SetMaxIdleConns(64)
	store := sqlstore.New(db, sqlstore.PostgreSQL)
	stop := func() { _ = db.Close(); stopServer() }
	if err := eventually(ctx, func() error { return store.Migrate(ctx) }); err != nil {
		stop()
		return nil, nil, err
	}
	return store, stop, nil
}

func postgresBinaries() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(slices.Max(found))
}

// startOne starts a server and returns a function that kills it and the processes that it started.
func startOne(cmd *exec.Cmd) (stop func(), err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}, nil
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), nil
}

// eventually calls f until it succeeds, for up to a minute.
func eventually(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
