package backends_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/backends"
)

// collector returns a Collector with a configuration of docs/evidence.md, the address it receives OTLP at,
// and what else its environment sets.
func collector(t *testing.T, config string, env ...string) (s *server, endpoint string) {
	t.Helper()
	endpoint, health := address(t), address(t)
	_, metrics, err := net.SplitHostPort(address(t))
	require.NoError(t, err)
	env = append(env, "OTLP_ENDPOINT="+endpoint, "HEALTH_ENDPOINT="+health, "METRICS_PORT="+metrics)
	return newServer(t, backends.Collector, "http://"+health, env, "--config", fromDocs(t, config)), endpoint
}

// chain is a Collector with a queue, and another behind it that writes files.
func chain(t *testing.T) (queue *server, endpoint string, out *output) {
	t.Helper()
	out = newOutput(t)
	files, behind := collector(t, "files.yaml", "FILES="+out.path())
	files.start(t)
	queue, endpoint = collector(t, "collector.yaml", "QUEUE_DIRECTORY="+t.TempDir(), "BACKEND_URL=http://"+behind)
	return queue, endpoint, out
}

func TestCollectorDownThenKilled(t *testing.T) {
	queue, endpoint, out := chain(t)
	h := newHost(t, endpoint)
	before := heap()
	h.calls(t, size(), noTrace)
	backlog := heap() - before
	want := h.evidence(t)
	require.Equal(t, size(), want.decisions)
	t.Logf("%d bytes of heap with a backlog of %d spans", backlog, len(want.spans))
	_ = backlog

	begun := time.Now()
	queue.start(t)
	for _, share := range []int{10, 3} {
		eventually(t, "a part of the evidence has arrived", func() (bool, error) {
			out.follow(t)
			return len(out.seen) >= len(want.spans)/share, nil
		})
		require.Less(t, len(out.seen), len(want.spans), "killed too late")
		queue.kill(t)
		queue.start(t)
	}
	arrives(t, out, want)
	t.Logf("all arrived in %s", since(begun))
}

// arrives waits until all of the evidence is in the files.
func arrives(t *testing.T, out *output, want evidence) {
	t.Helper()
	eventually(t, "all evidence has arrived", func() (bool, error) {
		out.follow(t)
		return len(out.seen) >= len(want.spans), nil
	})
	again := 0
	var missing, strange []string
	for id, of := range want.spans {
		if len(out.seen[id]) == 0 {
			missing = append(missing, id+" of "+of)
		}
		again += max(0, len(out.seen[id])-1)
	}
	for id, spans := range out.seen {
		if want.spans[id] == "" {
			strange = append(strange, id+" "+spans[0].Name)
		}
	}
	assert.Empty(t, missing, "spans that did not arrive")
	assert.Empty(t, strange, "spans of no record")
	t.Logf("%d spans arrived, %d of them again", len(want.spans), again)
}
