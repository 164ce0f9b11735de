package audit

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What does not fit into memory comes out as if it did: all of it, by key and then
// by value, and nothing stays on the disk.
func TestSorter(t *testing.T) {
	for _, tt := range []struct {
		name       string
		rows, size int
		runs       int
	}{{"nothing", 0, 0, 0}, {"one", 1, 1, 0}, {"few", 100, 10, 0}, {"in memory", 10_000, 500, 0}, {"on disk", 60_000, 900, 4}, {"rows larger than all memory", 3, memoryOfSort + 1, 3}} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			s := newSorter(&disk{dir: dir})
			r := rand.New(rand.NewPCG(1, 2))
			var want [][2]string
			row := bytes.Repeat([]byte("x"), tt.size)
			for range tt.rows {
				key := binary.AppendUvarint(nil, r.Uint64N(1<<(1+r.Uint64N(60)))) // of several lengths, some of them equal
				copy(row, binary.BigEndian.AppendUint32(nil, r.Uint32N(4)))
				require.NoError(t, s.add(key, row))
				want = append(want, [2]string{string(key), string(row[:min(4, tt.size)])})
			}
			assert.GreaterOrEqual(t, len(s.runs), max(0, tt.runs-1))
			assert.LessOrEqual(t, len(s.buf), max(memoryOfSort, tt.size+20))
			slices.SortFunc(want, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
			n := 0
			require.NoError(t, s.each(func(key, row []byte) error {
				if want[n][0] != string(key) || want[n][1] != string(row[:min(4, tt.size)]) || len(row) != tt.size {
					t.Fatalf("row %d", n)
				}
				n++
				return nil
			}))
			assert.Equal(t, tt.rows, n)
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

// However much there is, few files are open at a time, and nothing of it is lost.
func TestSorterMergesRuns(t *testing.T) {
	dir := t.TempDir()
	s := newSorter(&disk{dir: dir})
	const runs = maxMerged*maxMerged + 2*maxMerged + 3
	for n := range uint64(runs) {
		for _, key := range []uint64{n, runs - n, 7} {
			require.NoError(t, s.add(binary.BigEndian.AppendUint64(nil, key), binary.AppendUvarint(nil, n)))
		}
		require.NoError(t, s.spill())
		assert.LessOrEqual(t, len(s.runs), 3*maxMerged)
	}
	assert.Len(t, s.runs, 1+2+3)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, len(s.runs))
	count, last := 0, []byte(nil)
	require.NoError(t, s.each(func(key, _ []byte) error {
		assert.LessOrEqual(t, bytes.Compare(last, key), 0)
		count, last = count+1, append(last[:0], key...)
		return nil
	}))
	assert.Equal(t, 3*runs, count)
	left, err = os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// A temporary file that was cut is an error, never fewer rows.
func TestCutRows(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "rows")
	require.NoError(t, err)
	defer file.Close()
	w := newRowWriter(file)
	require.NoError(t, w.write([]byte("key"), []byte("row")))
	require.NoError(t, w.flush())
	require.NoError(t, file.Truncate(6))
	assert.ErrorContains(t, eachRow(file, func([]byte) error { return nil }), "temporary file")
	d := decision{id: idOf(1), at: nine, arguments: [][]string{{"a"}, nil}, effects: []string{"e"}, used: []use{{1, 2, 3}}}
	var row rowOut
	d.encode(&row)
	for cut := range row {
		in := readRow(row[:cut])
		new(decision).decode(&in)
		assert.Error(t, in.err(), "%d of %d bytes", cut, len(row))
	}
}
