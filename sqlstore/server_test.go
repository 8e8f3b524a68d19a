package sqlstore_test

import (
	"bytes"
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
	"strings"
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
	ended  chan struct{}
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
	var log bytes.Buffer
	p.cmd = p.command("postgres", "-D", p.data, "-p", strconv.Itoa(p.port), "-h", "127.0.0.1", "-k", "")
	p.cmd.Stderr = &log
	require.NoError(t, p.cmd.Start())
	p.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(p.cmd, p.ended)
	db := p.open(t)
	for ping := errors.New("not tried"); ping != nil; time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.ended:
			t.Fatalf("PostgreSQL ended:\n%s", &log)
		default:
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		ping = db.PingContext(ctx)
		cancel()
	}
}

// children returns the processes of the server but the first. Each leads a process group of its own.
func (p *postgres) children() (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if parent, _ := processState(pid); parent == p.cmd.Process.Pid {
			pids = append(pids, pid)
		}
	}
	return pids
}

// processState returns the parent of a process and its state, such as "S"; "Z" if it has ended.
func processState(pid int) (parent int, state string) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, "Z"
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // the name before may have spaces
	parent, _ = strconv.Atoi(fields[1])
	return parent, fields[0]
}

// kill ends the server and its children at once, as a crash does. A child that lives on for a moment would keep the server from
// starting again.
func (p *postgres) kill() {
	children := p.children()
	_ = p.cmd.Process.Kill()
	for _, pid := range children {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-p.ended
	for _, pid := range children {
		for _, state := processState(pid); state != "Z"; _, state = processState(pid) {
			time.Sleep(time.Millisecond)
		}
	}
}

func (p *postgres) pause()  { p.signal(syscall.SIGSTOP) }
func (p *postgres) resume() { p.signal(syscall.SIGCONT) }

func (p *postgres) signal(s syscall.Signal) {
	_ = p.cmd.Process.Signal(s)
	for _, pid := range p.children() {
		_ = syscall.Kill(pid, s)
	}
}

func (p *postgres) address() string { return fmt.Sprint("127.0.0.1:", p.port) }
func (p *postgres) url() string     { return postgresURL(p.address()) }

func (p *postgres) open(t *testing.T) *sql.DB {
	t.Helper()
	return openPostgres(t, p.address())
}

func postgresURL(address string) string {
	return "postgres://postgres@" + address + "/postgres?connect_timeout=1"
}

// openPostgres opens the database of the server at an address.
func openPostgres(t *testing.T, address string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", postgresURL(address))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
