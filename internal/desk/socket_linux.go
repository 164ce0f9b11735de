package desk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// Socket listens in a journal's folder. It is for whoever holds the journal's lock.
type Socket struct {
	*net.UnixListener
	path  string
	file  fs.FileInfo // of the socket that this is
	users perUser
}

// ListenSocket listens in a folder, in place of a socket that is there: the caller
// holds the lock of the folder's journal, so whatever listened there has ended, or
// serves no more. Who may enter the folder may connect; who they are is the
// business of whoever accepts.
func ListenSocket(dir string) (*Socket, error) {
	folder, err := checkedFolder(dir)
	if err != nil {
		return nil, err
	}
	if owner := folder.Sys().(*syscall.Stat_t).Uid; int(owner) != os.Geteuid() {
		return nil, fmt.Errorf("%s belongs to the OS user %d, and this process runs as %d: who comes to the socket trusts the folder's owner alone", dir, owner, os.Geteuid())
	}
	path := filepath.Join(dir, socketName)
	switch there, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case there.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s is no socket: move it away", path)
	default:
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	address, done, err := address(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: address, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // the name may be another's by then
	s := &Socket{UnixListener: l, path: path, users: perUser{count: make(map[uint32]int)}}
	if err := s.open(folder); err != nil {
		return nil, errors.Join(err, l.Close(), os.Remove(path))
	}
	return s, nil
}

// checkedFolder refuses a folder in which somebody else could put a socket.
func checkedFolder(dir string) (fs.FileInfo, error) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is no folder", dir)
	case info.Mode().Perm()&0o022 != 0:
		return nil, fmt.Errorf("%s may be written by others than its owner (mode %04o), who could put another socket there: take that away with chmod go-w", dir, info.Mode().Perm())
	}
	return info, nil
}

// open lets those connect who may enter the folder.
func (s *Socket) open(folder fs.FileInfo) error {
	mode := fs.FileMode(0o600)
	if folder.Mode()&0o010 != 0 {
		mode |= 0o060
		if err := os.Chown(s.path, -1, int(folder.Sys().(*syscall.Stat_t).Gid)); err != nil {
			return fmt.Errorf("the socket needs the group of its folder, which may enter: %w", err)
		}
	}
	if folder.Mode()&0o001 != 0 {
		mode |= 0o006
	}
	if err := os.Chmod(s.path, mode); err != nil {
		return err
	}
	var err error
	s.file, err = os.Lstat(s.path)
	return err
}

// Accept returns the next connection whose OS user is known, and has not too many.
func (s *Socket) Accept() (net.Conn, error) {
	for {
		conn, err := s.AcceptUnix()
		if err != nil {
			return nil, err
		}
		uid, err := peerOf(conn)
		if err == nil {
			if leave, ok := s.users.enter(uid); ok {
				return &peerConn{conn, uid, leave}, nil
			}
		}
		_ = conn.Close()
	}
}

// Close stops listening, and removes the socket unless another has taken its place.
func (s *Socket) Close() error {
	err := s.UnixListener.Close()
	if there, gone := os.Lstat(s.path); gone == nil && os.SameFile(there, s.file) {
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}

// peerOf returns the OS user of the process at the other end, as the kernel noted
// it when the connection was made (unix(7), SO_PEERCRED).
func peerOf(conn *net.UnixConn) (uint32, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *syscall.Ucred
	failed := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err := errors.Join(failed, err); err != nil {
		return 0, err
	}
	return cred.Uid, nil
}

// overflowUID stands for every user that the kernel cannot name here, such as one
// of another user namespace.
const overflowUID = 65534

func userName(uid uint32) (string, error) {
	if uid == overflowUID {
		return "", fmt.Errorf("the OS user %d is whoever has no id here: nobody", uid)
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return "", fmt.Errorf("the OS user %d has no name on the host's machine", uid)
	}
	return u.Username, nil
}

// Me returns the name of the OS user that runs this process.
func Me() (string, error) { return userName(uint32(os.Getuid())) }

// dial connects to the socket in a folder, and makes sure that the folder's owner
// listens there.
func dial(ctx context.Context, dir string) (net.Conn, error) {
	address, done, err := address(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", address)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w: %s", ErrNoHost, dir)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s is there, and its permissions keep you from connecting: its folder's owner lets a group enter with chgrp and chmod g+x, and then starts the host again", filepath.Join(dir, socketName))
	case err != nil:
		return nil, err
	}
	if err := trusted(dir, conn.(*net.UnixConn)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// trusted refuses a listener that is not the folder's owner.
func trusted(dir string, conn *net.UnixConn) error {
	folder, err := checkedFolder(dir)
	if err != nil {
		return err
	}
	uid, err := peerOf(conn)
	if err != nil {
		return err
	}
	if owner := folder.Sys().(*syscall.Stat_t).Uid; uid != owner {
		return fmt.Errorf("the OS user %d listens in %s, which belongs to %d: that is no host to be trusted", uid, dir, owner)
	}
	return nil
}

const (
	maxAddress = 107      // of a socket's path, in bytes (unix(7))
	oPath      = 0x200000 // O_PATH, for folders that may be entered and not read
)

// address returns a path of the socket in a folder that fits, until done is called.
func address(dir string) (path string, done func(), err error) {
	path = filepath.Join(dir, socketName)
	if len(path) <= maxAddress {
		return path, func() {}, nil
	}
	f, err := os.OpenFile(dir, oPath|syscall.O_DIRECTORY, 0)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketName), func() { _ = f.Close() }, nil
}
