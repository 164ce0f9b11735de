package audit

import (
	"strings"

	"github.com/ambit-go/ambit/rationale"
)

// short returns a text that is no longer than maxText, and another one for
// another text.
func short(s string) string {
	if len(s) <= maxText {
		return s
	}
	digest := rationale.Digest([]byte(s))
	return strings.ToValidUTF8(s[:maxText-len(digest)-3], "") + "…" + digest
}

// shortKey is short, and keeps the ids that stand in what is cut: a user agent has them
// at its end.
func shortKey(s string) string {
	cut := short(s)
	if cut == s {
		return s
	}
	uuids(s, func(id string) {
		if len(cut) < 2*maxText {
			cut += " " + id
		}
	})
	return cut
}

// uuids calls f with every UUID in a text, in lower case.
func uuids(text string, f func(id string)) {
	for i := 0; i+36 <= len(text); {
		dash := strings.IndexByte(text[i+8:], '-')
		if dash < 0 {
			return
		}
		if i += dash; i+36 > len(text) || !isUUID(text[i:i+36]) {
			i++
			continue
		}
		f(strings.ToLower(text[i : i+36]))
		i += 36
	}
}

func isUUID(s string) bool {
	for i := range len(s) {
		c := s[i]
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') {
			return false
		} else if !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
