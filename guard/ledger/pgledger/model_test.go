package pgledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/internal/simulate"
)

// Replicas on a server answer what those on the simulator's model of a shared log
// answer.
func TestTheServerAnswersAsTheModelDoes(t *testing.T) {
	histories := 1000
	if testing.Short() {
		histories = 40
	}
	const databases = 4
	for n := range databases {
		t.Run(fmt.Sprint("database ", n), func(t *testing.T) {
			t.Parallel()
			url := migrated(t, server(t))
			pool, admin := newPool(t, url), connect(t, url)
			answers := 0
			for i := n; i < histories; i += databases {
				answers += compareWithModel(t, i, pool, admin)
			}
			assert.Greater(t, answers, 20*histories/databases)
		})
	}
}

// compareWithModel makes one history on a log that is empty, and returns how many answers there were.
func compareWithModel(t *testing.T, history int, pool *pgxpool.Pool, admin *pgx.Conn) int {
	p := simulate.NewSteadyPlan(9, history, fmt.Sprint("-", history))
	want, err := simulate.ModelAnswers(p)
	require.NoError(t, err)
	_, err = admin.Exec(t.Context(), "TRUNCATE ambit.records; UPDATE ambit.log SET seq = 0, hash = '', snapshot = 0")
	require.NoError(t, err)
	got, err := simulate.Answers(p, time.Now, func(int) (simulate.Ledger, func(), error) {
		l, err := pgledger.Open(t.Context(), pool)
		if err != nil {
			return nil, nil, err
		}
		return l, func() { assert.NoError(t, l.Close()) }, nil
	})
	require.NoError(t, err)
	require.Equal(t, want, got, "history %d", history)
	return len(got)
}
