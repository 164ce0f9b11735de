package pgserver_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/pgserver"
)

func TestServerIsKilledAndStartedAgain(t *testing.T) {
	s, err := pgserver.New(t.Context())
	if err == pgserver.ErrMissing {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	for _, end := range []func() error{s.Kill, s.Stop} {
		connection, err := net.Dial("tcp", s.Address())
		require.NoError(t, err)
		require.NoError(t, connection.Close())
		require.NoError(t, end())
		_, err = net.Dial("tcp", s.Address())
		require.Error(t, err)
		require.NoError(t, s.Start(t.Context()))
	}
}
