package strictjson_test

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// A call as models send them: 157 bytes, eight properties, one nested object.
const (
	bookingSchema = `{"type":"object","properties":{
		"user_id":{"type":"string"},"origin":{"type":"string"},"passengers":{"type":"integer"},"amount":{"type":"number"},
		"insurance":{"type":"boolean"},"cabin":{"type":"string","enum":["basic_economy","economy","business"]},
		"flight":{"type":"object","properties":{"number":{"type":"string"},"date":{"type":"string"}},"required":["number","date"]}},
		"required":["user_id","passengers","amount"]}`
	booking = `{"user_id":"anya_garcia_5901","origin":"SFO","passengers":2,"amount":20.5,"insurance":true,"cabin":"economy",` +
		`"flight":{"number":"HAT042","date":"2024-05-26"}}`
)

func bookingReader(t testing.TB) *strictjson.Reader {
	t.Helper()
	return compiled(t, bookingSchema).NewReader([]strictjson.Place{
		{Path: []string{"user_id"}, Slot: 0},
		{Path: []string{"passengers"}, Slot: 1},
		{Path: []string{"amount"}, Slot: 2},
		{Path: []string{"cabin"}, Slot: 3},
		{Path: []string{"flight", "date"}, Slot: 4},
	})
}

// tokenPass is what reading costs at least: a bare pass of jsontext, which
// checks duplicate names too.
type tokenPass struct {
	buf bytes.Buffer
	dec *jsontext.Decoder
}

func (p *tokenPass) run(data []byte) error {
	p.buf = *bytes.NewBuffer(data)
	p.dec.Reset(&p.buf)
	for {
		if _, err := p.dec.ReadToken(); err != nil {
			if err != io.EOF { //nolint:errorlint // a comparison costs less than what is measured
				return err
			}
			return nil
		}
	}
}

func newTokenPass() *tokenPass {
	p := new(tokenPass)
	p.dec = jsontext.NewDecoder(&p.buf)
	return p
}

func BenchmarkRead(b *testing.B) {
	data, lim := []byte(booking), strictjson.DefaultLimits()
	r := bookingReader(b)
	b.Run("slots", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		b.RunParallel(func(pb *testing.PB) {
			var scratch strictjson.Scratch
			into := make([]strictjson.Value, 5)
			for pb.Next() {
				if err := r.Read(data, lim, into, &scratch); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("tokens", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		b.RunParallel(func(pb *testing.PB) {
			pass := newTokenPass()
			for pb.Next() {
				if err := pass.run(data); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkReadPerTokens compares the two in one run, a batch of one after a
// batch of the other, so that what else the machine does falls on both.
func BenchmarkReadPerTokens(b *testing.B) {
	const batch = 200
	data, lim := []byte(booking), strictjson.DefaultLimits()
	r, pass := bookingReader(b), newTokenPass()
	var scratch strictjson.Scratch
	into := make([]strictjson.Value, 5)
	var read, bare []time.Duration
	for b.Loop() {
		start := time.Now()
		for range batch {
			if err := pass.run(data); err != nil {
				b.Fatal(err)
			}
		}
		middle := time.Now()
		for range batch {
			if err := r.Read(data, lim, into, &scratch); err != nil {
				b.Fatal(err)
			}
		}
		bare, read = append(bare, middle.Sub(start)), append(read, time.Since(middle))
	}
	slices.Sort(read)
	slices.Sort(bare)
	quarter := len(read) / 4
	b.ReportMetric(float64(read[quarter])/batch, "read-ns")
	b.ReportMetric(float64(bare[quarter])/batch, "tokens-ns")
	b.ReportMetric(float64(read[quarter])/float64(bare[quarter]), "read/tokens")
}
