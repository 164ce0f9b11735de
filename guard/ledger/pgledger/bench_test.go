package pgledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/guardtest"
)

func BenchmarkAdmit(b *testing.B) {
	l := open(b, migrated(b, server(b)))
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, l.Admit(b.Context(), guardtest.Denied()))
	}
}
