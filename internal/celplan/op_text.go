package celplan

import (
	"strings"
	"unicode/utf8"

	"github.com/ambit-go/ambit/internal/strictjson"
)

// The text functions of CEL and of its strings extension. Positions and sizes
// count code points. A byte that is not UTF-8 is a code point of its own, and
// what cuts or changes a text makes it U+FFFD. Whether work or result are
// within the limits is known before anything is done.

func sizeOfText(s string) int64 { return int64(utf8.RuneCountInString(s)) }

// repaired replaces every byte that is not UTF-8 by U+FFFD.
func repaired(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// offset returns the byte at which code point n begins, len(s) for the one
// after the last, and -1 for any other. s is valid UTF-8.
func offset(s string, n int64) int {
	if n < 0 || n > int64(len(s)) {
		return -1
	}
	for at := range s {
		if n == 0 {
			return at
		}
		n--
	}
	if n == 0 {
		return len(s)
	}
	return -1
}

// charAt returns a text of one code point, or the empty one right after the
// end.
func charAt(s string, i int64) (string, fault) {
	s = repaired(s)
	at := offset(s, i)
	if at < 0 {
		return "", rangeFault
	}
	_, size := utf8.DecodeRuneInString(s[at:])
	return s[at : at+size], 0
}

// indexOf returns where sub is first found at or after from, and -1 where it
// is not, or from is past the end. The empty text is found everywhere, at the
// end also by a from past it.
func indexOf(s, sub string, from int64) (int64, fault) {
	if len(s)*len(sub) > maxSearch {
		return 0, limitFault
	}
	if from < 0 {
		return 0, rangeFault
	}
	if sub == "" {
		return min(from, sizeOfText(s)), 0
	}
	s, sub = repaired(s), repaired(sub)
	start := offset(s, from)
	if start < 0 {
		return -1, 0
	}
	at := strings.Index(s[start:], sub)
	if at < 0 {
		return -1, 0
	}
	return from + sizeOfText(s[start:start+at]), 0
}

// lastIndexOf returns where sub is last found.
func lastIndexOf(s, sub string) (int64, fault) {
	if len(s)*len(sub) > maxSearch {
		return 0, limitFault
	}
	if len(s) < len(sub) { // in bytes, as they stand
		return -1, 0
	}
	s, sub = repaired(s), repaired(sub)
	return lastBefore(s, sub, len(s)), 0
}

// lastIndexOfFrom returns where sub is last found at or before from, and -1
// where it is not, or from is past the last code point.
func lastIndexOfFrom(s, sub string, from int64) (int64, fault) {
	if len(s)*len(sub) > maxSearch {
		return 0, limitFault
	}
	if from < 0 {
		return 0, rangeFault
	}
	if sub == "" {
		return min(from, sizeOfText(s)), 0
	}
	s, sub = repaired(s), repaired(sub)
	start := offset(s, from)
	if start < 0 || start == len(s) {
		return -1, 0
	}
	return lastBefore(s, sub, min(start+len(sub), len(s))), 0
}

// lastBefore returns where sub is last found within the first end bytes of s.
func lastBefore(s, sub string, end int) int64 {
	at := strings.LastIndex(s[:end], sub)
	if at < 0 {
		return -1
	}
	return sizeOfText(s[:at])
}

// replace replaces the first n occurrences of old, all where n is negative.
// An empty old is found before every code point and at the end.
func replace(s, old, with string, n int64) (string, fault) {
	count := int64(strings.Count(s, old))
	if n >= 0 {
		count = min(count, n)
	}
	if int64(len(s))+count*int64(len(with)-len(old)) > maxText {
		return "", limitFault
	}
	return strings.Replace(s, old, with, int(count)), 0
}

// splitText returns a list of the texts between separators, at most n where n
// is not negative: the last one is then the rest. An empty separator splits
// after every code point.
func splitText(s, separator string, n int64) (strictjson.Value, fault) {
	switch count := strings.Count(s, separator); {
	case separator == "" && count > maxElements+1, separator != "" && count >= maxElements:
		return strictjson.Value{}, limitFault
	}
	parts := strings.SplitN(s, separator, int(n))
	elems := make([]strictjson.Value, len(parts))
	for i, part := range parts {
		elems[i] = strictjson.StringValue(part)
	}
	return strictjson.ListValue(elems), 0
}

// join is an overloadFault for a list that does not begin with a string, and
// an invalidFault where another element is none, as CEL looks at the first
// one's kind alone.
func join(list []strictjson.Value, separator string) (string, fault) {
	total := 0
	for i := range list {
		if list[i].Kind() != strictjson.String {
			if i == 0 {
				return "", overloadFault
			}
			return "", invalidFault
		}
		if total += len(list[i].Str()) + len(separator); total > maxText {
			return "", limitFault
		}
	}
	var b strings.Builder
	b.Grow(total)
	for i := range list {
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(list[i].Str())
	}
	return b.String(), 0
}

// substring returns the code points from start to before end.
func substring(s string, start, end int64) (string, fault) {
	if start > end {
		return "", rangeFault
	}
	s = repaired(s)
	from, to := offset(s, start), offset(s, end)
	if from < 0 || to < 0 {
		return "", rangeFault
	}
	return s[from:to], 0
}

// substringFrom returns the code points from start on.
func substringFrom(s string, start int64) (string, fault) {
	s = repaired(s)
	from := offset(s, start)
	if from < 0 {
		return "", rangeFault
	}
	return s[from:], 0
}

// trim cuts the white space of Unicode off both ends.
func trim(s string) string { return strings.TrimSpace(s) }

func lowerASCII(s string) string { return changeASCII(s, 'A', 'Z') }
func upperASCII(s string) string { return changeASCII(s, 'a', 'z') }

// changeASCII changes the case of the letters from first to last.
func changeASCII(s string, first, last byte) string {
	s = repaired(s)
	i := 0
	for i < len(s) && (s[i] < first || s[i] > last) {
		i++
	}
	if i == len(s) {
		return s
	}
	changed := []byte(s)
	for ; i < len(changed); i++ {
		if changed[i] >= first && changed[i] <= last {
			changed[i] ^= 'a' - 'A'
		}
	}
	return string(changed)
}

// concat joins two strings, or the bytes of two.
func concat(a, b string) (string, fault) {
	if len(a)+len(b) > maxText {
		return "", limitFault
	}
	return a + b, 0
}
