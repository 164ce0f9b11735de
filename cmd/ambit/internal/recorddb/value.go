package recorddb

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/ambit-go/ambit/rationale"
)

// What follows makes of a member the value of a column. What is absent from the
// record is NULL.

// text is NULL where it is empty.
func text[T ~string](s T) any {
	if s == "" {
		return nil
	}
	return string(s)
}

func raw(value json.RawMessage) any {
	if value == nil {
		return nil
	}
	return string(value)
}

// list is a JSON array, as the record has it.
func list[T any](items []T) any {
	if len(items) == 0 {
		return nil
	}
	data, err := json.Marshal(items)
	if err == nil {
		data, err = rationale.Canonicalize(data)
	}
	if err != nil {
		return nil // not of strings and of what was read from JSON
	}
	return string(data)
}

// count is NULL where it is zero.
func count(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

const momentFormat = "2006-01-02T15:04:05.000000000Z"

// moment is a time in UTC with nine digits after the point, so that times sort as
// texts do. One that every record has is never NULL: the zero time is long ago.
func moment(t time.Time) any { return t.UTC().Format(momentFormat) }

// optional is moment of a time that a record may be without.
func optional(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return moment(t)
}

// parts are an amount's whole number and its billionths, both exact, or NULL where
// it has more than 15 digits before the point or 9 after it, or is none.
func parts(amount string) (whole, nano any) {
	before, after, point := strings.Cut(amount, ".")
	if !digits(before) || point && !digits(after) {
		return nil, nil
	}
	before, after = strings.TrimLeft(before, "0"), strings.TrimRight(after, "0")
	if len(before) > 15 || len(after) > 9 {
		return nil, nil
	}
	return number(before), number(after + strings.Repeat("0", 9-len(after)))
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// number reads at most 18 digits; none are zero.
func number(s string) (n int64) {
	for _, digit := range []byte(s) {
		n = 10*n + int64(digit-'0')
	}
	return n
}

// same is equal for two ids if and only if they name one person
// ([rationale.SamePerson]).
func same(id string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, id)
}

// toolName is how a tool is called: server/name, or the name alone.
func toolName(t rationale.Tool) string {
	if t.Server == "" {
		return t.Name
	}
	return t.Server + "/" + t.Name
}
