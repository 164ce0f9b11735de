//go:build !linux

package desk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/user"
)

var errNoPeer = errors.New("a host is reached through its socket on Linux alone, where the kernel says who connects")

// Socket does not exist here.
type Socket struct{ net.Listener }

// ListenSocket fails.
func ListenSocket(string) (*Socket, error) { return nil, errNoPeer }

func userName(uint32) (string, error) { return "", errNoPeer }

// dial finds nobody: no host listens on such a system.
func dial(_ context.Context, dir string) (net.Conn, error) {
	return nil, fmt.Errorf("%w: %s", ErrNoHost, dir)
}

// Me returns the name of the OS user that runs this process.
func Me() (string, error) {
	u, err := user.Current()
	if err != nil {
		return "", err
	}
	return u.Username, nil
}
