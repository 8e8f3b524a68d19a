package sqlstore_test

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
)

// postgres is a real PostgreSQL server on a free port, in a folder of its own.
type postgres struct {
	port   int
	binary string
	data   string
	user   *syscall.Credential // root may not run the server
	cmd    *exec.Cmd
}

func postgresBinaries() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.Sort(found)
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

func startPostgres(t *testing.T) *postgres {
	t.Helper()
	binaries := postgresBinaries()
	if binaries == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("PostgreSQL is not installed, and the gate must not skip this test")
		}
		t.Skip("PostgreSQL is not installed: apt-get install postgresql")
	}
	folder, err := os.MkdirTemp("", "sqlstore")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	p := &postgres{binary: binaries, data: filepath.Join(folder, "data")}
	if os.Geteuid() == 0 {
		account, err := user.Lookup("postgres")
		require.NoError(t, err)
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		p.user = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		require.NoError(t, os.Chown(folder, uid, gid))
	}
	out, err := p.command("initdb", "-D", p.data, "-U", "postgres", "-A", "trust", "--no-sync").CombinedOutput()
	require.NoError(t, err, "%s", out)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p.port = listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	p.start(t)
	t.Cleanup(func() { p.kill() })
	return p
}

func (p *postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.binary, name), args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.user, Setpgid: true}
	return cmd
}

func (p *postgres) start(t *testing.T) {
	t.Helper()
	p.cmd = p.command("postgres", "-D", p.data, "-p", strconv.Itoa(p.port), "-h", "127.0.0.1", "-k", "")
	require.NoError(t, p.cmd.Start())
	db := p.connect(t)
	defer func() { _ = db.Close() }()
	require.Eventually(t, func() bool { return db.PingContext(t.Context()) == nil }, time.Minute, 20*time.Millisecond)
}

// kill ends the server and its children at once, as a crash does.
func (p *postgres) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Wait()
}

func (p *postgres) connect(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", p.url())
	require.NoError(t, err)
	return db
}

func (p *postgres) url() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?connect_timeout=1", p.port)
}

func (p *postgres) open(t *testing.T) *sql.DB {
	db := p.connect(t)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
