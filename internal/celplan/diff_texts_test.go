package celplan_test

import (
	"fmt"
	"slices"
	"strings"
)

// literals are the literals of the types that have some: the usual ones, and
// those at the edges of what a type can hold.
var literals = map[string][]string{
	"bool": {"true", "false"},
	"int": {
		"1", "0", "2", "3", "5", "7", "10", "60", "-1", "-3", "100", "0x1F", "9007199254740993", "3037000500", "1767225600",
		"4611686018427387904", "9223372036854775807", "-9223372036854775807", "-9223372036854775808", "253402300799", "-62135596801",
	},
	"uint":   {"1u", "0u", "2u", "3u", "5u", "0xFFu", "9007199254740993u", "9223372036854775807u", "9223372036854775808u", "18446744073709551615u"},
	"double": {"1.5", "0.0", "1.0", "2.0", "0.1", "-0.5", "-1.0", "3.0", "-0.0", "5e-324", "1e308", "-1.7976931348623157e308", "9007199254740992.0", "9223372036854775807.0", "-9223372036854775808.0", "1.8446744073709552e19", "1e3"},
	"string": {"'a'", "''", "'b'", "'ab'", "'aab'", "'prod'", "'eu-west-1'", "'-'", "'Ä'", "'日本'", "'\\U0001F600é'", "'e\\u0301'", "' a\\t'", "'A'", "'\\u0000'", "\"it's\"", "r'\\d'", "'1'", "'k'", "'\\u2028'", "'\\u00a0x\\u1680'"},
	"bytes":  {"b'a'", "b''", "b'ab'", "b'\\xff\\x00'", "b'\\303\\204'", "b'日本'"},
	"timestamp": {
		"timestamp('2026-03-01T12:00:00Z')", "timestamp('1970-01-01T00:00:00Z')", "timestamp('2026-03-29T01:30:00.5Z')", "timestamp('2024-02-29T23:59:59.999999999+02:00')",
		"timestamp('0001-01-01T00:00:00Z')", "timestamp('9999-12-31T23:59:59.999999999Z')", "timestamp('1969-12-31T23:59:59.25Z')", "timestamp(1767225600)",
	},
	"duration": {
		"duration('1h')", "duration('0s')", "duration('-1ns')", "duration('1h30m5.25s')", "duration('24h')", "duration('2562047h47m16.854775807s')",
		"duration('-2562047h47m16.854775808s')", "duration('1500000h')", "duration('87600h')",
	},
	"null": {"null"},
}

// likely are what conversions and other functions take, and some that they
// nearly take. A literal that is no time is refused at compile time, so such
// ones are computed.
var likely = map[string][]string{
	"seconds":    {"1767225600", "0", "-1", "253402300799", "(253402300799 + 1)", "(-62135596801 - 0)", "-62135596800", "(9223372036854775807 - 0)"},
	"inttext":    {"'12'", "'-9223372036854775808'", "'9223372036854775808'", "'+1'", "''", "' 1'", "'1.0'", "'0x10'", "'1_0'", "'-0'", "'007'"},
	"uinttext":   {"'12'", "'18446744073709551615'", "'18446744073709551616'", "'-1'", "'+1'", "'1u'", "''"},
	"doubletext": {"'1.5'", "'1e3'", "'NaN'", "'-inf'", "'Infinity'", "'1e400'", "'0x1p-2'", "'1_0'", "'.5'", "''", "'5e-400'", "'-0'"},
	"booltext":   {"'true'", "'false'", "'TRUE'", "'t'", "'1'", "'False'", "'yes'", "''", "'0'", "'f'", "'tRue'"},
	"timetext": {
		"'2026-03-01T12:00:00Z'", "'2026-03-01T12:00:00.123456789+05:45'", "('2026-02-30' + 'T00:00:00Z')", "('2026-03-01' + ' 12:00:00')", "('10000' + '-01-01T00:00:00Z')",
		"('0000-12-31T23:59:59' + 'Z')", "('0001-01-01T00:30:00' + '+01:00')", "('9999-12-31T23:30:00' + '-01:00')", "('2026-03-01T12:00:60' + 'Z')", "('2026-03-01t12:00:00' + 'z')", "('2026-03-01T12:00:00' + '')", "('2026-03-01T12:00:00' + ',5Z')",
	},
	"durationtext": {
		"'1h'", "'-1.5s'", "'1m30s'", "('1' + '')", "('99999999' + 'h')", "('' + '')", "('1' + 'd')", "('1.0000000001' + 's')", "('0' + '')", "('315576000000' + 's')", "('9223372036.854775807' + 's')", "('-9223372036.854775808' + 's')", "('1' + 'µs')", "('+' + '5ms')",
	},
	"zone": {
		"'UTC'", "'Europe/Stockholm'", "'America/New_York'", "'Asia/Kathmandu'", "'+05:30'", "'-23:59'", "'02:00'", "''", "'Nowhere/None'", "'+24:00'", "'+5:00'", "'-00:30'", "'Local'", "'../etc/passwd'", "'1:2:3'", "'+aa:bb'", "'99:99'",
	},
	"pattern": {
		"'^a+$'", "'^(?:eu|us)-[a-z]+-[0-9]$'", "'^$'", "'^.*$'", "'^(?i)PROD$'", "'^\\\\p{Greek}*$'", "'^[^a]?b{0,2}$'", "'\\\\Aab\\\\z'", "'^(?s).{1,3}$'", "'^\\\\d{4}-\\\\d{2}-\\\\d{2}$'", "'^é*😀?.*$'",
	},
}

// plain is the type of what is likely.
func plain(typ string) string {
	switch {
	case typ == "seconds":
		return "int"
	case likely[typ] != nil:
		return "string"
	}
	return typ
}

// keyNames are keys that maps have, and some that few have.
var keyNames = []string{"a", "k", "b", "n", "x-y", "in", "z"}

// setSizes are around where a search through constants could change its way.
var setSizes = []int{1, 0, 2, 2, 3, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 33, 65, 130}

// literalOf is a literal, of a text often one that differs little from values.
func (w *writer) literalOf(typ string) string {
	if typ == "string" && w.oneIn(3) {
		return "'" + pick(w.choices, nearTexts) + "'"
	}
	return pick(w.choices, literals[typ])
}

// constants writes so many constants of a type, which some values are among.
func (w *writer) constants(typ string, count int) string {
	var texts []string
	for i := range count {
		known := literals[typ]
		switch {
		case i < 4:
			texts = append(texts, w.literalOf(typ))
		case typ == "int":
			texts = append(texts, fmt.Sprint(i*i-20))
		case typ == "uint":
			texts = append(texts, fmt.Sprintf("%du", i*3))
		case typ == "double":
			texts = append(texts, fmt.Sprintf("%d.5", i-6))
		case typ == "string":
			texts = append(texts, fmt.Sprintf("'%s%d'", strings.Repeat("k", i%3), i))
		default:
			texts = append(texts, known[i%len(known)])
		}
	}
	if count > 2 && w.oneIn(3) {
		texts[count-1] = texts[0]
	}
	if w.oneIn(3) {
		slices.Reverse(texts)
	}
	return strings.Join(texts, ", ")
}
