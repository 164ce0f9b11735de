package scaling

import (
	"bytes"
	"math"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// parsed is the arguments as the handwritten check reads them: texts alias the
// bytes of the call or the reader's own.
type parsed struct {
	kind, workload, region, instance []byte
	replicas                         int64
	seen                             [5]bool // of what is required, in this order
}

// reader is a decoder that is used again, with room for texts with escapes.
type reader struct {
	source  bytes.Buffer
	decoder *jsontext.Decoder
	plain   []byte
}

var readers = sync.Pool{New: func() any { return &reader{decoder: jsontext.NewDecoder(new(bytes.Buffer))} }}

// read refuses what does not fit the tool's schema, in one pass. Names that
// occur twice and invalid UTF-8 are refused by the decoder.
func (r *reader) read(raw []byte) (p parsed, ok bool) {
	r.source = *bytes.NewBuffer(raw)
	r.decoder.Reset(&r.source)
	r.plain = r.plain[:0]
	if token, err := r.decoder.ReadToken(); err != nil || token.Kind() != '{' {
		return p, false
	}
	for r.decoder.PeekKind() != '}' {
		name, ok := r.text()
		if !ok {
			return p, false
		}
		switch string(name) {
		case "kind":
			p.kind, p.seen[0] = r.text()
			ok = p.seen[0]
		case "workload":
			p.workload, p.seen[1] = r.text()
			ok = p.seen[1]
		case "region":
			p.region, p.seen[2] = r.text()
			ok = p.seen[2]
		case "instance_type":
			p.instance, p.seen[3] = r.text()
			ok = p.seen[3]
		case "replicas":
			p.replicas, p.seen[4] = r.integer()
			ok = p.seen[4]
		case "ticket":
			_, ok = r.text()
		default:
			return p, false
		}
		if !ok {
			return p, false
		}
	}
	if _, err := r.decoder.ReadToken(); err != nil {
		return p, false
	}
	if rest := raw[r.decoder.InputOffset():]; len(bytes.TrimLeft(rest, " \t\r\n")) > 0 {
		return p, false
	}
	return p, p.seen == [5]bool{true, true, true, true, true}
}

// text reads a string without copying it, unless it has escapes.
func (r *reader) text() ([]byte, bool) {
	value, err := r.decoder.ReadValue()
	if err != nil || value.Kind() != '"' {
		return nil, false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1], true
	}
	start := len(r.plain)
	if r.plain, err = jsontext.AppendUnquote(r.plain, value); err != nil {
		return nil, false
	}
	return r.plain[start:len(r.plain):len(r.plain)], true
}

// integer reads a whole number, however it is written.
func (r *reader) integer() (int64, bool) {
	value, err := r.decoder.ReadValue()
	if err != nil || value.Kind() != '0' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err == nil {
		return n, n != 0 || value[0] != '-'
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<53 || f == 0 && value[0] == '-' {
		return 0, false
	}
	return int64(f), true
}

func handwritten([]question) (func(*question, int) outcome, error) {
	h := newHost(struct{}{})
	return func(q *question, _ int) outcome {
		if !h.knows(q) {
			return refuse(unknownTool)
		}
		r := readers.Get().(*reader)
		defer readers.Put(r)
		args, ok := r.read(q.args)
		if !ok {
			return refuse(invalidArguments)
		}
		if _, why := h.find(q); why != 0 {
			return refuse(why)
		}
		if string(args.kind) != "Deployment" {
			return refuse(unclassified)
		}
		return assess(q, &args)
	}, nil
}

func assess(q *question, args *parsed) outcome {
	a := assessment{tier: parameterized}
	a.standing(q)
	switch string(args.region) {
	case "eu-west-1", "eu-central-1":
	default:
		a.fail(notAllowed)
	}
	switch string(args.workload) {
	case "payments-api", "payments-worker":
	default:
		a.fail(notAllowed)
	}
	if args.replicas < 3 || args.replicas > 60 {
		a.fail(boundViolated)
	}
	current, freeze := q.facts.fresh(q.at)
	a.step(args, current)
	switch {
	case freeze == nil:
		a.raise(authorizationRequired, factUnavailable)
	case *freeze:
		a.raise(authorizationRequired, 0)
	}
	return a.conclude()
}

// step is the rules that read how many replicas there are.
func (a *assessment) step(args *parsed, current *int64) {
	if current == nil {
		a.fail(factUnavailable)
		a.raise(authorizationRequired, factUnavailable)
		a.fail(unpriced)
		return
	}
	if *current > math.MaxInt64/2 || *current < math.MinInt64/2 {
		a.fail(evaluationError)
	} else if args.replicas > *current*2 {
		a.fail(boundViolated)
	}
	if *current > math.MaxInt64-10 {
		a.raise(authorizationRequired, evaluationError)
	} else if args.replicas > *current+10 {
		a.raise(boundedEscalation, 0)
	}
	more := args.replicas - *current
	if (more < args.replicas) != (*current > 0) {
		a.fail(unpriced)
		return
	}
	price, ok := hourly(args.instance)
	if !ok || more > math.MaxInt64/24/price || more < math.MinInt64/24/price {
		a.fail(unpriced)
		return
	}
	if more > 0 {
		a.spend(more * price * 24)
	}
}

// hourly is the price of an instance in ten-thousandths of a euro.
func hourly(instance []byte) (int64, bool) {
	switch string(instance) {
	case "m7g.large":
		return 952, true
	case "m7g.xlarge":
		return 1904, true
	case "m7g.metal":
		return 26112, true
	case "p5.48xlarge":
		return 983200, true
	}
	return 0, false
}
