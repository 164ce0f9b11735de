package celplan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/celplan"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// An event's fields are read as facts are, by both evaluators, and an expression
// may yield a text.
func TestEvents(t *testing.T) {
	scope := celplan.Scope{Event: &strictjson.Type{Kind: strictjson.Object, Fields: []strictjson.Field{
		{Name: "n", Type: &strictjson.Type{Kind: strictjson.Int}},
		{Name: "s", Type: &strictjson.Type{Kind: strictjson.String}},
	}}}
	for _, mode := range []celplan.Mode{celplan.ModeNative, celplan.ModeReference, celplan.ModeBoth} {
		layout := celplan.NewLayout(nil)
		env, err := celplan.NewEnv(scope, celplan.WithLayout(layout), celplan.WithMode(mode))
		require.NoError(t, err)
		slot := layout.Slot("event", "s")
		for _, tt := range []struct{ src, want, wrong string }{
			{"event.s", "x", ""},
			{"event.s + '/' + event.s.upperAscii()", "x/X", ""},
			{"has(event.n) ? string(event.n) : 'none'", "none", ""},
			{"string(event.n)", "", "event.n is absent"},
			{"event.s == 'x' ? event.s : string(1 / 0)", "x", ""},
			{"string(1 / 0)", "", "a division by zero"},
			{"'constant'", "constant", ""},
		} {
			p, err := env.Compile(tt.src, strictjson.String)
			require.NoError(t, err, tt.src)
			for _, read := range []func(*celplan.Frame){
				func(f *celplan.Frame) { f.Set(slot, strictjson.StringValue("x")) },
				func(f *celplan.Frame) {
					f.Load(&celplan.Input{Event: strictjson.MapValue(strictjson.Object, []strictjson.Member{{Name: "s", Value: strictjson.StringValue("x")}})})
				},
			} {
				f := new(celplan.Frame)
				f.Begin(layout)
				read(f)
				evaluators := []func(*celplan.Frame) (string, error){p.Text}
				if mode == celplan.ModeBoth {
					evaluators = append(evaluators, p.ReferenceText)
				}
				for _, eval := range evaluators {
					got, err := eval(f)
					assert.Equal(t, tt.want, got, tt.src)
					if tt.wrong != "" {
						assert.EqualError(t, err, tt.wrong, tt.src)
					} else {
						assert.NoError(t, err, tt.src)
					}
				}
			}
		}
		_, err = env.Compile("event.n", strictjson.String)
		assert.EqualError(t, err, "1:1: the expression must yield string, and yields int")
		_, err = env.Compile("args.x", strictjson.String)
		assert.Error(t, err)
		_, err = env.Compile("event", strictjson.String)
		assert.Error(t, err)
	}
	_, err := new(celplan.Program).Text(nil)
	assert.Error(t, err)
}
