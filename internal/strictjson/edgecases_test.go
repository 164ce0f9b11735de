package strictjson_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/shareddata"
	"github.com/ambit-go/ambit/internal/strictjson"
)

// refusedValid lists the files that RFC 8259 calls valid and Scan refuses.
var refusedValid = map[string]string{
	"y_object_duplicated_key.json":           "duplicate", // readers differ on which one counts
	"y_object_duplicated_key_and_value.json": "duplicate", // even of equal values: the next writer need not be as kind
	"y_object_escaped_null_in_key.json":      "NUL",       // C libraries end the name there
	"y_number_minus_zero.json":               "negative zero",
	"y_number_negative_zero.json":            "negative zero",
}

// implementationDefined says what is expected of each i_ file and why: all are
// refused, for the reason that the message must contain.
var implementationDefined = map[string]string{
	"i_number_double_huge_neg_exp.json":                   "exponent",  // 123.456e-789: it would be read as 0
	"i_number_huge_exp.json":                              "number of", // an exponent of over 100 digits
	"i_number_neg_int_huge_exp.json":                      "exponent",  // -1e9999 is no finite number
	"i_number_pos_double_huge_exp.json":                   "exponent",  // 1.5e9999
	"i_number_real_neg_overflow.json":                     "exponent",
	"i_number_real_pos_overflow.json":                     "exponent",
	"i_number_real_underflow.json":                        "exponent",        // 123e-10000000: it would be read as 0
	"i_number_too_big_neg_int.json":                       "does not fit 64", // an integer must be exact
	"i_number_too_big_pos_int.json":                       "does not fit 64",
	"i_number_very_big_negative_int.json":                 "does not fit 64",
	"i_object_key_lone_2nd_surrogate.json":                "surrogate", // no UTF-8 text holds half a pair
	"i_string_1st_surrogate_but_2nd_missing.json":         "surrogate",
	"i_string_1st_valid_surrogate_2nd_invalid.json":       "surrogate",
	"i_string_UTF-16LE_with_BOM.json":                     "invalid", // JSON is UTF-8
	"i_string_UTF-8_invalid_sequence.json":                "UTF-8",
	"i_string_UTF8_surrogate_U+D800.json":                 "UTF-8", // a surrogate spelt as UTF-8 bytes
	"i_string_incomplete_surrogate_and_escape_valid.json": "surrogate",
	"i_string_incomplete_surrogate_pair.json":             "surrogate",
	"i_string_incomplete_surrogates_escape_valid.json":    "surrogate",
	"i_string_invalid_lonely_surrogate.json":              "surrogate",
	"i_string_invalid_surrogate.json":                     "surrogate",
	"i_string_invalid_utf-8.json":                         "UTF-8",
	"i_string_inverted_surrogates_U+1D11E.json":           "surrogate",
	"i_string_iso_latin_1.json":                           "UTF-8",
	"i_string_lone_second_surrogate.json":                 "surrogate",
	"i_string_lone_utf8_continuation_byte.json":           "UTF-8",
	"i_string_not_in_unicode_range.json":                  "UTF-8", // above U+10FFFF
	"i_string_overlong_sequence_2_bytes.json":             "UTF-8", // one text must have one spelling
	"i_string_overlong_sequence_6_bytes.json":             "UTF-8",
	"i_string_overlong_sequence_6_bytes_null.json":        "UTF-8",
	"i_string_truncated-utf-8.json":                       "UTF-8",
	"i_string_utf16BE_no_BOM.json":                        "invalid",
	"i_string_utf16LE_no_BOM.json":                        "invalid",
	"i_structure_500_nested_arrays.json":                  "deeper",     // far deeper than any tool's arguments
	"i_structure_UTF-8_BOM_empty_object.json":             "byte order", // RFC 8259, section 8.1: must not be added
}

func TestScanJSONTestSuite(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(shareddata.Dir(t, filepath.Join("json-edge-cases", "test_parsing")), "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 318)
	listed := 0
	for _, file := range files {
		name := filepath.Base(file)
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		err = strictjson.Scan(data, strictjson.DefaultLimits())
		reason, exception := refusedValid[name]
		if name[0] == 'i' {
			reason, exception = implementationDefined[name]
			assert.True(t, exception, "%s has no expectation", name)
		}
		switch {
		case exception:
			listed++
			assert.ErrorContains(t, err, reason, name)
		case name[0] == 'y':
			assert.NoError(t, err, name)
		case name[0] == 'n':
			assert.Error(t, err, name)
		}
	}
	assert.Equal(t, len(refusedValid)+len(implementationDefined), listed, "every listed file exists")
}
