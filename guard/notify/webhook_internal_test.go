package notify

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A name that says this machine can resolve to another one.
func TestPlainTextStaysOnThisMachine(t *testing.T) {
	for _, address := range []string{"192.0.2.1:80", "[2001:db8::1]:80"} {
		_, err := ownTransport(true).DialContext(t.Context(), "tcp", address)
		assert.ErrorContains(t, err, "is not this machine")
	}
}
