package report

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/ambit-go/ambit/benchmarks/internal/measure"
)

// JSON writes results as an array, one line for each.
func JSON(w io.Writer, results []measure.Result) error {
	text := "["
	for i, r := range results {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if i > 0 {
			text += ","
		}
		text += "\n  " + string(line)
	}
	_, err := io.WriteString(w, text+"\n]\n")
	return err
}

// Read reads what [JSON] wrote, and refuses anything else: another member, a
// missing one, a result that is there twice, or one without a time.
func Read(r io.Reader) ([]measure.Result, error) {
	var read []struct {
		Case     *string  `json:"case"`
		Impl     *string  `json:"impl"`
		NsOp     *float64 `json:"ns_op"`
		BOp      *int64   `json:"b_op"`
		AllocsOp *int64   `json:"allocs_op"`
	}
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&read); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the array")
	}
	results := make([]measure.Result, len(read))
	for i, one := range read {
		if one.Case == nil || one.Impl == nil || one.NsOp == nil || one.BOp == nil || one.AllocsOp == nil {
			return nil, fmt.Errorf("result %d lacks a member: want case, impl, ns_op, b_op and allocs_op", i)
		}
		if *one.NsOp <= 0 || *one.BOp < 0 || *one.AllocsOp < 0 {
			return nil, fmt.Errorf("result %d: %s of %s takes no time, or less than nothing", i, *one.Impl, *one.Case)
		}
		results[i] = measure.Result{Case: *one.Case, Impl: *one.Impl, NsOp: *one.NsOp, BOp: *one.BOp, AllocsOp: *one.AllocsOp}
		if _, twice := Find(results[:i], *one.Case, *one.Impl); twice {
			return nil, fmt.Errorf("result %d: %s of %s is there twice", i, *one.Impl, *one.Case)
		}
	}
	return results, nil
}
