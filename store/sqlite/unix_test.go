//go:build unix

package sqlite

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (p place) chmod(path string, mode fs.FileMode) { require.NoError(p.t, os.Chmod(path, mode)) }

func modes(t *testing.T, folder string) map[string]fs.FileMode {
	t.Helper()
	all := map[string]fs.FileMode{}
	for _, name := range names(t, folder) {
		info, err := os.Stat(filepath.Join(folder, name))
		require.NoError(t, err)
		all[name] = info.Mode().Perm()
	}
	return all
}

func TestNobodyElseCanRead(t *testing.T) {
	ours := map[string]fs.FileMode{"portraits.db": 0o600, "portraits.db-wal": 0o600, "portraits.db-shm": 0o600, "portraits.db.lock": 0o600}
	for _, umask := range []int{0, 0o022, 0o077} {
		old := syscall.Umask(umask)
		t.Cleanup(func() { syscall.Umask(old) })
		folder := filepath.Join(t.TempDir(), "one", "two")
		path := filepath.Join(folder, "portraits.db")
		s := open(t, path)
		require.NoError(t, s.Save(t.Context(), numbered("kol", 0)))
		assert.Equal(t, ours, modes(t, folder), "umask %o", umask)
		for _, made := range []string{folder, filepath.Dir(folder)} {
			info, err := os.Stat(made)
			require.NoError(t, err)
			assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
		}

		// A file of ours that somebody has opened up, in use and at rest.
		for name := range ours {
			require.NoError(t, os.Chmod(filepath.Join(folder, name), 0o666))
		}
		second := open(t, path)
		delete(ours, "portraits.db.lock") // which nothing is in
		assert.Subset(t, modes(t, folder), ours)
		require.NoError(t, second.Close())
		require.NoError(t, s.Close())
		require.NoError(t, os.Chmod(path, 0o644))
		s = open(t, path)
		assert.Subset(t, modes(t, folder), ours)
		require.NoError(t, s.Close())
		ours["portraits.db.lock"] = 0o600
		syscall.Umask(old)
	}
}

func TestEmptyFileIsTightened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	require.NoError(t, os.WriteFile(path, nil, 0o666))
	s := open(t, path)
	require.NoError(t, s.Save(t.Context(), numbered("kol", 0)))
	assert.Subset(t, modes(t, filepath.Dir(path)), map[string]fs.FileMode{"portraits.db": 0o600, "portraits.db-wal": 0o600, "portraits.db-shm": 0o600})
	require.NoError(t, s.Close())
}

func TestAnothersFileKeepsItsMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	write(t, path, nil)
	place{t, path}.run("CREATE TABLE moz_places (id)")
	require.NoError(t, os.Chmod(path, 0o644))
	_, err := Open(t.Context(), Options{Path: path})
	require.ErrorIs(t, err, ErrUnusable)
	assert.Equal(t, fs.FileMode(0o644), modes(t, filepath.Dir(path))["portraits.db"])
}

func TestPipeIsNoFile(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	_, err := Open(t.Context(), Options{Path: fifo})
	require.ErrorIs(t, err, ErrUnusable)
	assert.ErrorContains(t, err, "not a regular file")
}

// TestWithoutPermission has a process of another user open what it may not. The
// administrator may open anything, so that the process is nobody's then.
func TestWithoutPermission(t *testing.T) {
	for _, test := range []struct {
		name   string
		forbid func(p place)
	}{
		{"a file that cannot be read", func(p place) { p.chmod(p.path, 0o000) }},
		{"a file that cannot be written", func(p place) { p.chmod(p.path, 0o444) }},
		{"a folder that cannot be written", func(p place) { p.chmod(filepath.Dir(p.path), 0o555) }},
		{"a folder that cannot be written, and no lock there", func(p place) {
			p.remove(".lock")
			p.chmod(filepath.Dir(p.path), 0o555)
		}},
		{"a folder that cannot be entered", func(p place) { p.chmod(filepath.Dir(p.path), 0o000) }},
		{"a folder where none can be made", func(p place) {
			require.NoError(p.t, os.RemoveAll(filepath.Dir(p.path)))
			p.chmod(filepath.Dir(filepath.Dir(p.path)), 0o555)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			outer := t.TempDir()
			folder := filepath.Join(outer, "folder")
			path := filepath.Join(folder, "portraits.db")
			other := start(t, asSomebody(t, outer))
			require.NoError(t, open(t, path).Close())
			before := read(t, path)
			if os.Getuid() == 0 {
				for _, name := range []string{outer, folder, path, path + ".lock"} {
					require.NoError(t, os.Chown(name, nobody, nobody))
				}
			}
			t.Cleanup(func() { // so that it can be cleaned up
				_ = os.Chmod(outer, 0o700)
				_ = os.Chmod(folder, 0o700)
			})
			test.forbid(place{t, path})

			other.send(t, request{Do: "open", Path: path})
			told := other.receive(t)
			require.NotEmpty(t, told.Err)
			assert.True(t, told.Unusable, told.Err)
			t.Log(told.Err)

			_ = os.Chmod(folder, 0o700)
			if _, err := os.Stat(path); err == nil {
				require.NoError(t, os.Chmod(path, 0o600))
				assert.Equal(t, before, read(t, path))
			}
			assert.Empty(t, told.Warnings)
		})
	}
}

// nobody is a user without privileges.
const nobody = 65534

// asSomebody returns what makes a process one without privileges. It runs a copy
// of the binary, since the one that go test makes is in a folder of its own.
func asSomebody(t *testing.T, folder string) func(*exec.Cmd) {
	t.Helper()
	return func(cmd *exec.Cmd) {
		if os.Getuid() != 0 {
			return
		}
		place := t.TempDir()
		for dir := place; dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
			require.NoError(t, os.Chmod(dir, 0o755))
		}
		for dir := filepath.Dir(folder); dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
			require.NoError(t, os.Chmod(dir, 0o755))
		}
		binary := filepath.Join(place, "binary")
		require.NoError(t, os.WriteFile(binary, read(t, cmd.Path), 0o755))
		cmd.Path, cmd.Args[0] = binary, binary
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}
