package desk

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// foreign returns a folder of another OS user. Root has to make one; for others there
// is one.
func foreign(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return "/usr"
	}
	dir := t.TempDir()
	require.NoError(t, os.Chown(dir, 1, -1))
	return dir
}

// Whoever listens in a folder that is not theirs is no host.
func TestOnlyTheFoldersOwnerIsAHost(t *testing.T) {
	_, err := ListenSocket(foreign(t))
	require.ErrorContains(t, err, "belongs to the OS user")

	dir := t.TempDir()
	s, err := ListenSocket(dir)
	require.NoError(t, err)
	defer s.Close()
	conn, err := net.Dial("unix", filepath.Join(dir, socketName))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, trusted(dir, conn.(*net.UnixConn)))
	assert.ErrorContains(t, trusted(foreign(t), conn.(*net.UnixConn)), "no host to be trusted")
	require.NoError(t, os.Chmod(dir, 0o722))
	assert.ErrorContains(t, trusted(dir, conn.(*net.UnixConn)), "may be written by others than its owner (mode 0722)")
	_, err = dial(t.Context(), dir)
	assert.ErrorContains(t, err, "may be written by others")
}

// The kernel says who connects. What it cannot name is nobody, even where somebody
// has that name.
func TestPeers(t *testing.T) {
	dir := t.TempDir()
	s, err := ListenSocket(dir)
	require.NoError(t, err)
	defer s.Close()
	conn, err := net.Dial("unix", filepath.Join(dir, socketName))
	require.NoError(t, err)
	defer conn.Close()
	accepted, err := s.Accept()
	require.NoError(t, err)
	defer accepted.Close()
	name, err := Peer(WithPeer(t.Context(), accepted))
	require.NoError(t, err)
	me, err := Me()
	require.NoError(t, err)
	assert.Equal(t, me, name)
	assert.Equal(t, uint32(syscall.Getuid()), accepted.(*peerConn).uid)

	_, err = Peer(WithPeer(t.Context(), conn))
	require.ErrorContains(t, err, "nobody knows which OS user asks")
	_, err = userName(overflowUID)
	require.ErrorContains(t, err, "nobody")
	_, err = userName(4_000_000_000)
	assert.ErrorContains(t, err, "has no name on the host's machine")
}

// A user who leaves makes room.
func TestConnectionsAreCountedByUser(t *testing.T) {
	p := perUser{count: make(map[uint32]int)}
	var leave []func()
	for range maxPerUser {
		done, ok := p.enter(1)
		require.True(t, ok)
		leave = append(leave, done)
	}
	_, ok := p.enter(1)
	assert.False(t, ok)
	_, ok = p.enter(2)
	assert.True(t, ok, "another user")
	leave[0]()
	leave[0]()
	_, ok = p.enter(1)
	assert.True(t, ok)
	_, ok = p.enter(1)
	assert.False(t, ok, "leaving twice makes room once")
}
