package fleet

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const head = "TIMESTAMP,ContextTokens,GeneratedTokens\n"

func TestReadSortsByTime(t *testing.T) {
	got, err := read("t.csv", strings.NewReader("\ufeff"+head+
		"2023-11-16 18:15:50.5,30,3\r\n"+
		"2023-11-16T20:15:47+02:00,20,2\n"+
		"2023-11-16 18:15:46.0000000,10,1\n"+
		"2023-11-16 18:15:47,21,2\n"))
	require.NoError(t, err)
	assert.Equal(t, Trace{
		{0, 10, 1}, {time.Second, 20, 2}, {time.Second, 21, 2}, {4500 * time.Millisecond, 30, 3},
	}, got)
	assert.Equal(t, 4500*time.Millisecond, got.Length())
	assert.Zero(t, Trace{}.Length())
}

func TestReadRefuses(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"an empty file":          {"", "t.csv: the file is empty: want the header " + header},
		"a header alone":         {head, "t.csv: no request follows the header"},
		"another header":         {"a,b,c\n1,2,3\n", `t.csv:1: header "a,b,c": want ` + header},
		"a column too few":       {head + "2023-11-16 18:15:46,1\n", "t.csv:2: 2 columns: want 3 (" + header + ")"},
		"no time":                {head + "2023-11-16 18:15:46,1,1\nyesterday,1,1\n", `t.csv:3: TIMESTAMP "yesterday": want 2006-01-02 15:04:05.999 or RFC 3339`},
		"a negative number":      {head + "2023-11-16 18:15:46,-1,1\n", `t.csv:2: ContextTokens "-1": want a whole number from 0 to 1000000`},
		"a fraction":             {head + "2023-11-16 18:15:46,1,1.5\n", `t.csv:2: GeneratedTokens "1.5": want a whole number from 0 to 1000000`},
		"too large a number":     {head + "2023-11-16 18:15:46,99999999999999999999,1\n", `t.csv:2: ContextTokens "99999999999999999999": want a whole number from 0 to 1000000`},
		"an open quote":          {head + "\n\"2023-11-16 18:15:46,1,1\n", `t.csv:3: extraneous or missing " in quoted-field`},
		"a stray quote":          {head + "2023-11-16\"18:15:46,1,1\n", `t.csv:2: bare " in non-quoted-field`},
		"more than a day":        {head + "2023-11-18 18:15:46,1,1\n2023-11-16 18:15:46,1,1\n", "t.csv:2: TIMESTAMP is more than 24h0m0s after the earliest one, of line 3"},
		"lines after blank ones": {head + "\n\n2023-11-16 18:15:46,x,1\n", `t.csv:4: ContextTokens "x": want a whole number from 0 to 1000000`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read("t.csv", strings.NewReader(test.in))
			require.EqualError(t, err, test.want)
		})
	}
}

func TestReadFileThatIsNotThere(t *testing.T) {
	_, err := ReadFile(filepath.Join(t.TempDir(), "none.csv"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestBuiltinIsTheSameEveryTime(t *testing.T) {
	trace := Builtin()
	require.Equal(t, trace, Builtin())
	assert.InDelta(t, 21_600, len(trace), 500)
	assert.True(t, slices.IsSortedFunc(trace, func(a, b Request) int { return int(a.At - b.At) }))
	assert.Less(t, trace.Length(), time.Hour)
	for _, r := range trace {
		require.GreaterOrEqual(t, r.Context, 20)
		require.LessOrEqual(t, r.Generated, 1000)
	}
}
