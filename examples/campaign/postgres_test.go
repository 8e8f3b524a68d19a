package main

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startPostgres starts a PostgreSQL server on a free port and returns its URL.
func startPostgres(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("PostgreSQL is not installed, and the gate must not skip this test")
		}
		t.Skip("PostgreSQL is not installed: apt-get install postgresql")
	}
	folder, err := os.MkdirTemp("", "campaign")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	attributes := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 { // who may not run the server
		account, err := user.Lookup("postgres")
		require.NoError(t, err)
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		require.NoError(t, os.Chown(folder, uid, gid))
		attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(filepath.Dir(found[len(found)-1]), name), args...)
		cmd.Dir, cmd.SysProcAttr = "/", attributes
		return cmd
	}
	data := filepath.Join(folder, "data")
	out, err := command("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync").CombinedOutput()
	require.NoError(t, err, "%s", out)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	server := command("postgres", "-D", data, "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", "")
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGQUIT) // at once
		_ = server.Wait()
	})
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres", port)
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	require.Eventually(t, func() bool { return db.PingContext(t.Context()) == nil }, time.Minute, 20*time.Millisecond)
	return url
}
