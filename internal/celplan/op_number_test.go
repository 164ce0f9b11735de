package celplan

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ambit-go/ambit/internal/strictjson"
)

func TestFinite(t *testing.T) {
	t.Parallel()
	for _, d := range edgeDoubles {
		want := fault(0)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			want = notFiniteFault
		}
		assert.Equal(t, want, checkFinite(d), "%v", d)
		assert.Equal(t, want, checkFiniteValue(strictjson.ComputedDoubleValue(d)), "%v", d)
	}
	assert.Zero(t, checkFiniteValue(strictjson.NullValue()))
}

// No relation holds with NaN, not even one that two of them could share.
func TestOrderings(t *testing.T) {
	t.Parallel()
	holds := map[ordering][4]bool{ // of -1, 0, 1 and unordered
		isLess:    {true, false, false, false},
		isAtMost:  {true, true, false, false},
		isGreater: {false, false, true, false},
		isAtLeast: {false, true, true, false},
	}
	for o, want := range holds {
		for i, comparison := range []int{-1, 0, 1, unordered} {
			assert.Equal(t, want[i], o.holds(comparison), "%d of %d", o, comparison)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]fault{
		"division by zero": divisionFault, "modulus by zero": divisionFault, "integer overflow": overflowFault,
		"index out of range: 5": rangeFault, "no such overload": overloadFault, "type conversion error from 'a' to 'b'": conversionFault,
		`strconv.Atoi: parsing "x": invalid syntax`: conversionFault, "invalid UTF-8": invalidFault, "unknown time zone X": valueFault,
	} {
		assert.Equal(t, want, faultOf(message), message)
	}
}
