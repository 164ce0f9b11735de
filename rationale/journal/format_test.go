package journal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/rationale"
)

var testHeader = header{
	Flags: flagSnapshot | flagTorn, Journal: "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", Number: 7, First: 42,
	Prev: rationale.Digest([]byte("x")), Time: time.Date(2026, 11, 1, 10, 0, 0, 5, time.UTC), Oldest: 3, Opening: 99,
}

func TestHeaderRoundTrip(t *testing.T) {
	for _, h := range []header{testHeader, {Journal: testHeader.Journal, Number: 1, First: 1, Time: time.Unix(0, 0).UTC(), Oldest: 1}} {
		b, err := h.encode()
		require.NoError(t, err)
		require.Len(t, b, headerSize)
		got, err := decodeHeader(b)
		require.NoError(t, err)
		assert.Equal(t, h, got)
		for bit := range 8 * len(b) {
			b[bit/8] ^= 1 << (bit % 8)
			_, err := decodeHeader(b)
			require.Error(t, err, "bit %d", bit)
			b[bit/8] ^= 1 << (bit % 8)
		}
	}
	_, err := header{Journal: "not a uuid"}.encode()
	assert.Error(t, err)
	_, err = header{Journal: testHeader.Journal, Prev: "sha256:1"}.encode()
	assert.Error(t, err)
}

// segmentOf returns a segment of about that many bytes, with frames of one or
// more lines, as [writer] writes them.
func segmentOf(t testing.TB, size int) []byte {
	t.Helper()
	h := testHeader
	h.Opening = 0
	data, err := h.encode()
	require.NoError(t, err)
	for n := uint64(0); len(data) < size; n++ {
		line := fmt.Sprintf(`{"body":{"id":"%d","note":%q}}`+"\n", n, strings.Repeat("abc", int(n*37%900)))
		data, err = frame{
			Offset: int64(len(data)), First: h.First + n, Lines: 1, Durable: int64(len(data)), Payload: []byte(line),
		}.append(data, h.seed())
		require.NoError(t, err)
	}
	return data
}

// Every single bit flip in 64 KiB ends the run of valid frames where it is, and
// none looks like the torn end of a write.
func TestEveryBitFlipIsDamage(t *testing.T) {
	data := segmentOf(t, 64<<10)
	require.GreaterOrEqual(t, len(data), 64<<10)
	whole := scan(data, testHeader)
	require.Equal(t, noFault, whole.fault)
	require.Greater(t, len(whole.frames), 40)
	seed := testHeader.seed()
	step := int64(1)
	if testing.Short() {
		step = 61
	}
	for _, f := range whole.frames {
		for bit := 8 * f.Offset; bit < 8*f.end(); bit += step {
			data[bit/8] ^= 1 << (bit % 8)
			_, fault := decodeFrame(data[f.Offset:], f.Offset, seed)
			if fault == noFault {
				t.Fatalf("bit %d is not noticed", bit)
			}
			// Behind the last frame only this decides whether it is cut.
			if f.end() == int64(len(data)) && torn(data[f.Offset:], f.Offset, seed) {
				t.Fatalf("bit %d looks like a torn end", bit)
			}
			data[bit/8] ^= 1 << (bit % 8)
		}
	}
	// A flip of any other frame is followed by one that was written after it was
	// durable.
	for _, f := range whole.frames[:len(whole.frames)-1] {
		data[f.Offset+50] ^= 1
		assert.False(t, torn(data[f.Offset:], f.Offset, seed))
		data[f.Offset+50] ^= 1
	}
}

// A frame that was not written whole, in any way that leaves sectors short or
// zero, is torn wherever it lies.
func TestEveryTornWriteIsTorn(t *testing.T) {
	data := segmentOf(t, 8<<10)
	seed := testHeader.seed()
	r := rand.New(rand.NewPCG(1, 2))
	frames := scan(data, testHeader).frames
	for _, f := range frames {
		written := data[:f.end()]
		for cut := f.Offset + 1; cut < f.end(); cut++ {
			require.True(t, torn(written[f.Offset:cut], f.Offset, seed), "cut at %d of %d", cut, f.end())
		}
		for range 50 {
			b := bytes.Clone(written)
			lost := false
			for from := f.Offset; from < f.end(); {
				to := min(f.end(), (from/sector+1)*sector)
				if r.IntN(2) == 0 {
					clear(b[from:to])
					lost = true
				}
				from = to
			}
			if lost {
				require.True(t, torn(b[f.Offset:], f.Offset, seed))
			}
		}
	}
}

// Of several frames that were written without a sync, the disk may take a later
// one first. That is torn; damage of what was synced before is not.
func TestTornBeforeAFrameThatWasWrittenWithoutASync(t *testing.T) {
	for _, synced := range []bool{false, true} {
		h := testHeader
		data, err := h.encode()
		require.NoError(t, err)
		begin := int64(len(data))
		for n := range uint64(3) {
			f := frame{Offset: int64(len(data)), First: h.First + n, Lines: 1, Durable: begin, Payload: []byte(strings.Repeat("x", 700) + "\n")}
			if synced && n > 0 {
				f.Durable = f.Offset
			}
			data, err = f.append(data, h.seed())
			require.NoError(t, err)
		}
		clear(data[begin : begin+600])
		assert.Equal(t, !synced, torn(data[begin:], begin, h.seed()))
	}
}

func TestAFrameCountsOnlyInItsPlace(t *testing.T) {
	data := segmentOf(t, 2<<10)
	f := scan(data, testHeader).frames[1]
	seed := testHeader.seed()
	_, fault := decodeFrame(data[f.Offset:], f.Offset, seed)
	assert.Equal(t, noFault, fault)
	_, fault = decodeFrame(data[f.Offset:], f.Offset+1, seed)
	assert.Equal(t, badHeader, fault)
	other := testHeader
	other.Number++
	_, fault = decodeFrame(data[f.Offset:], f.Offset, other.seed())
	assert.Equal(t, badHeader, fault, "a frame of another segment")
}

func TestFramesAreBounded(t *testing.T) {
	_, err := frame{}.append(nil, 0)
	assert.Error(t, err)
	_, err = frame{Payload: make([]byte, maxPayload+1)}.append(nil, 0)
	assert.Error(t, err)
}

func TestNamesOfSegments(t *testing.T) {
	for name, want := range map[string]uint64{
		"00000001.seg": 1, "123456789.seg": 123456789, "00000012.seg.damaged": 12,
		"1.seg": 0, "00000000.seg": 0, "0000000x.seg": 0, "00000001.seg.tmp": 0, "spans.jsonl": 0, "000000001.seg": 0, ".seg": 0,
	} {
		number, aside, ok := parseName(name)
		assert.Equal(t, want > 0, ok, name)
		assert.Equal(t, ok && strings.HasSuffix(name, ".damaged"), ok && aside, name)
		if ok {
			assert.Equal(t, want, number, name)
		}
	}
}

func FuzzScan(f *testing.F) {
	data := segmentOf(f, 300)
	f.Add(data)
	f.Add(data[:len(data)-10])
	f.Add([]byte(segmentMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := decodeHeader(data)
		if err != nil {
			h = testHeader
		}
		s := scan(data, h)
		if s.end > int64(len(data)) {
			t.Fatal("it reads beyond the end")
		}
		_ = s.torn()
		for more, ok := s.more(); ok; more, ok = more.more() {
			if more.end <= s.end {
				t.Fatal("it does not move on")
			}
			s = more
		}
	})
}
