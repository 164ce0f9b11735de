package backends_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/backends"
)

// backlogBound is how much more memory a host may use for what its backend did not take, in bytes. A
// queue of 20,000 spans in memory takes 45 MB.
const backlogBound = 16 << 20

// collector returns a Collector with a configuration of docs/evidence.md, and
// the address that it receives OTLP at.
func collector(t *testing.T, config string, env ...string) (s *server, endpoint string) {
	t.Helper()
	endpoint, health, metrics := address(t), address(t), address(t)
	_, port, err := net.SplitHostPort(metrics)
	require.NoError(t, err)
	env = append(env, "OTLP_ENDPOINT="+endpoint, "HEALTH_ENDPOINT="+health, "METRICS_PORT="+port)
	s = newServer(t, backends.Collector, "http://"+health, env, "--config", fromDocs(t, config))
	s.metrics = "http://localhost:" + port + "/metrics"
	return s, endpoint
}

// queueing is a Collector with a queue on disk before a backend.
func queueing(t *testing.T, backend string) (s *server, endpoint string) {
	t.Helper()
	return collector(t, "collector.yaml", "QUEUE_DIRECTORY="+t.TempDir(), "BACKEND_URL=http://"+backend)
}

// writing is a Collector that writes files.
func writing(t *testing.T) (s *server, endpoint string, out *output) {
	t.Helper()
	out = newOutput(t)
	s, endpoint = collector(t, "files.yaml", "FILES="+out.path())
	return s, endpoint, out
}

// chain is a Collector with a queue, and another behind it that writes files and runs.
func chain(t *testing.T) (queue *server, endpoint string, out *output) {
	t.Helper()
	files, behind, out := writing(t)
	files.start(t)
	queue, endpoint = queueing(t, behind)
	return queue, endpoint, out
}

func TestCollectorIsDownAndThenKilled(t *testing.T) {
	queue, endpoint, out := chain(t)
	h := newHost(t, t.TempDir(), endpoint)
	before := heap()
	for part := range 4 {
		h.calls(t, size()/4, noTrace)
		more := int64(heap()) - int64(before)
		t.Logf("%d bytes more in use after %d calls", more, (part+1)*size()/4)
		require.Less(t, more, int64(backlogBound))
	}
	want := h.evidence(t)
	require.Equal(t, size(), want.decisions)

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
	flush(t, h.delivery)
	require.NoError(t, h.delivery.Healthy())
}

func TestHostRestartsWhileTheCollectorIsDown(t *testing.T) {
	queue, endpoint, out := chain(t)
	dir := t.TempDir()
	for range 3 {
		h := newHost(t, dir, endpoint)
		h.calls(t, size()/20, noTrace)
		h.close(t)
	}
	queue.start(t)
	want := newHost(t, dir, endpoint).evidence(t)
	require.Equal(t, 3*(size()/20), want.decisions)
	arrives(t, out, want)
}

// A receiver's limit on the size of a request: batches become smaller, down to one span. A span
// that is too large alone is kept until somebody has it delivered, and the rest goes on.
func TestCollectorWithALimit(t *testing.T) {
	files, behind, out := writing(t)
	files.start(t)
	queue, endpoint := queueing(t, behind)
	generous := queue.args
	queue.args = append(slices.Clone(generous), "--config", limitedTo(t, 2400))
	queue.start(t)
	h := newHost(t, t.TempDir(), endpoint)
	h.calls(t, 50, noTrace)
	require.NoError(t, h.call(t.Context(), 1000, strings.Repeat("long", 400)))
	h.calls(t, 50, noTrace)
	flush(t, h.delivery)
	want := h.evidence(t)
	eventually(t, "all but the long one has arrived", func() (bool, error) {
		out.follow(t)
		return len(out.seen) >= len(want.spans)-1, nil
	})
	require.Equal(t, len(want.spans)-1, len(out.seen), "the decision with the long purpose is too long")
	require.ErrorContains(t, h.delivery.Healthy(), "rejected")

	queue.kill(t)
	queue.args = generous
	queue.start(t)
	taken, err := h.delivery.Redeliver(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, taken)
	arrives(t, out, want)
	require.NoError(t, h.delivery.Healthy())
}

// limitedTo returns a file that adds a limit on the bytes of a request to a configuration.
func limitedTo(t *testing.T, limit int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "limit.yaml")
	text := fmt.Sprintf("receivers: {otlp: {protocols: {http: {max_request_body_size: %d}}}}\n", limit)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// What the Collector acknowledged, and its backend then refused for good, is gone from the Collector, which counts
// it as failed, or as sent where the answer is a success otherwise. The journal has it: a delivery with a new name
// begins at its beginning.
func TestCollectorDropsWhatItsBackendRefuses(t *testing.T) {
	page, err := os.ReadFile("../../docs/evidence.md")
	require.NoError(t, err)
	require.Contains(t, string(page), "alert on `otelcol_exporter_send_failed_spans`")
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		metric string
	}{
		"unauthorized": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "otelcol_exporter_send_failed_spans"},
		"partial success": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}`))
		}, "otelcol_exporter_sent_spans"},
	} {
		t.Run(name, func(t *testing.T) {
			files, behind, out := writing(t)
			listener, err := net.Listen("tcp", behind)
			require.NoError(t, err)
			refusing := httptest.NewUnstartedServer(c.answer)
			require.NoError(t, refusing.Listener.Close())
			refusing.Listener = listener
			refusing.Start()
			queue, endpoint := queueing(t, behind)
			queue.start(t)
			h := newHost(t, t.TempDir(), endpoint)
			h.calls(t, 100, noTrace)
			flush(t, h.delivery)
			require.NoError(t, h.delivery.Healthy(), "the Collector took all")
			want := h.evidence(t)
			eventually(t, "the Collector has dropped all spans", func() (bool, error) {
				dropped, err := queue.metric(c.metric)
				return dropped == len(want.spans), err
			})
			refusing.Close()

			files.start(t)
			again := h.deliver(t, "again", endpoint)
			flush(t, again)
			require.NoError(t, again.Shutdown(t.Context()))
			arrives(t, out, want)
		})
	}
}

// metric returns the sum of a metric's series, or 0 where it has none.
func (s *server) metric(name string) (int, error) {
	answer, err := http.Get(s.metrics)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	sum := 0.0
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		series, value, _ := strings.Cut(lines.Text(), "} ")
		if metric, _, _ := strings.Cut(series, "{"); metric != name {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", lines.Text(), err)
		}
		sum += n
	}
	return int(sum), lines.Err()
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
