package otelx

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"

	"github.com/ambit-go/ambit/rationale"
)

// attributes collects the attributes of one span. Empty values are left out;
// long ones are cut, with their digest beside them.
type attributes []attribute.KeyValue

func (a *attributes) text(key, value string) {
	switch {
	case value == "":
	case len(value) <= MaxValue && utf8.ValidString(value):
		*a = append(*a, attribute.String(key, value))
	default:
		a.unfit(key, value)
	}
}

// unfit is text for a value that is too long or not valid UTF-8.
func (a *attributes) unfit(key, value string) {
	value = strings.ToValidUTF8(value, string(utf8.RuneError)) // OTLP refuses the rest
	*a = append(*a, attribute.String(key, cut(value, MaxValue)))
	if len(value) > MaxValue {
		*a = append(*a, attribute.String(key+DigestSuffix, rationale.Digest([]byte(value))))
	}
}

// texts keeps the first strings that fit, the last of them cut.
func (a *attributes) texts(key string, values []string) {
	if len(values) == 0 {
		return
	}
	var (
		whole []byte
		fit   []string
		room  = MaxValue
	)
	for _, v := range values {
		v = strings.ToValidUTF8(v, string(utf8.RuneError))
		whole = append(append(whole, v...), 0)
		if room > 0 {
			v = cut(v, room)
			fit, room = append(fit, v), room-len(v)
		}
	}
	*a = append(*a, attribute.StringSlice(key, fit))
	if len(whole)-len(values) > MaxValue {
		*a = append(*a, attribute.String(key+DigestSuffix, rationale.Digest(whole)))
	}
}

func (a *attributes) integer(key string, value int64) {
	*a = append(*a, attribute.Int64(key, value))
}

func (a *attributes) flag(key string, value bool) {
	*a = append(*a, attribute.Bool(key, value))
}

func (a *attributes) time(key string, t time.Time) {
	if !t.IsZero() {
		a.text(key, t.UTC().Format(time.RFC3339Nano))
	}
}

// cut returns the beginning of s, at most limit bytes, between characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// names turns a list of named strings into plain ones.
func names[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}
