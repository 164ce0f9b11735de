package main

// operators are faults in the arithmetic, order, texts and times of rules
// that run natively.
func operators() []mutant {
	all := []mutant{
		{
			File: "internal/celplan/op_number.go",
			Old:  "if (sum > a) != (b > 0) {",
			New:  "if sum < a && b > 0 {",
			Why:  "a sum wraps at the least int",
		},
		{
			File: "internal/celplan/native_node.go",
			Old:  "b.Kind() == strictjson.Int && (x^y)&(x^n) >= 0",
			New:  "b.Kind() == strictjson.Int",
			Why:  "a quantity that is a difference wraps",
		},
		{
			File: "internal/celplan/native_node.go",
			Old:  "return n, a.Kind() == strictjson.Int && b.Kind()",
			New:  "return n, b.Kind()",
			Why:  "a quantity is computed of what is no number",
		},
		{
			File: "internal/celplan/op_number.go",
			Old:  "if high != 0 || low > limit {",
			New:  "if high != 0 || low > limit+1 {",
			Why:  "a product wraps",
		},
		{
			File: "internal/celplan/op_number.go",
			Old:  "case b == -1 && a == math.MinInt64:\n\t\treturn 0, overflowFault\n\t}\n\treturn a / b, 0",
			New:  "}\n\treturn a / b, 0",
			Why:  "a quotient wraps",
		},
		{
			File: "internal/celplan/op_compare.go",
			Old:  "func compareIntDouble(i int64, d float64) int { return compareDoubles(float64(i), d) }",
			New:  "func compareIntDouble(i int64, d float64) int { return cmp.Compare(i, int64(d)) }",
			Why:  "a double is cut to an int before it is compared with one",
		},
		{
			File: "internal/celplan/op_compare.go",
			Old:  "if isNaN(a) || isNaN(b) {",
			New:  "if isNaN(a) {",
			Why:  "an order with NaN at its right is an error",
		},
		{
			File: "internal/celplan/op_equal.go",
			Old:  "return int64(index.Uint()), index.Uint() <= math.MaxInt64",
			New:  "return int64(index.Uint()), true",
			Why:  "an index wraps",
		},
		{
			File: "internal/celplan/op_equal.go",
			Old:  "if !countDown(elems[i], left) {",
			New:  "if i < 0 || !countDown(strictjson.NullValue(), left) {",
			Why:  "lists in lists are compared without a limit",
		},
		{
			File: "internal/celplan/op_convert.go",
			Old:  "if d > math.MinInt64 && d < math.MaxInt64 {",
			New:  "if d > math.MinInt64 && d <= math.MaxInt64 {",
			Why:  "a double just above the greatest int wraps",
		},
		{
			File: "internal/celplan/op_convert.go",
			Old:  "if d >= 0 && d < 1<<64 {",
			New:  "if d > -1 && d < 1<<64 {",
			Why:  "a negative double is a uint",
		},
		{
			File: "internal/celplan/op_text.go",
			Old:  "if int64(len(s))+count*int64(len(with)-len(old)) > maxText {",
			New:  "if int64(len(s))+int64(len(with)-len(old)) > maxText {",
			Why:  "a text grows without limit where it is replaced many times",
		},
		{
			File: "internal/celplan/op_text.go",
			Old:  "return from + sizeOfText(s[start:start+at]), 0",
			New:  "return from + int64(at), 0",
			Why:  "a position counts bytes",
		},
		{
			File: "internal/celplan/op_time.go",
			Old:  "if sec < minSecond || sec > maxSecond {",
			New:  "if sec > maxSecond {",
			Why:  "a time before the year 1",
		},
		{
			File: "internal/celplan/op_time.go",
			Old:  "if strings.HasPrefix(zone, \"-\") {",
			New:  "if hour < 0 {",
			Why:  "the offset -00:30 is east",
		},
		{
			File: "internal/celplan/op_rfc3339.go",
			Old:  "t.sec -= east * 60",
			New:  "t.sec += east * 60",
			Why:  "an offset counts the wrong way",
		},
		{
			File: "internal/celplan/op_rfc3339.go",
			Old:  "second > 59 || day > daysIn(year, month)",
			New:  "second > 59",
			Why:  "February 30 is a day",
		},
	}
	for i := range all {
		all[i].Package = "./internal/celplan"
		all[i].Run = "^Test(OperatorsAtEdges|TextFunctionsAtEdges|TextLimits|EqualityLimits|AccessorsAtEdges|TimestampsAtEdges|Difference)$"
	}
	return all
}
