package main

// reading breaks what the reader of arguments does differently from the decoder
// to be quicker than it.
func reading() []mutant {
	const pkg = "internal/strictjson/"
	list := []mutant{
		{
			File: pkg + "plain.go",
			Old:  "i >= maxSeen || seen&(1<<i) != 0",
			New:  "i >= maxSeen || seen&(1<<63) != 0",
			Why:  "a property may stand twice in a plain document: the last counts",
		},
		{
			File: pkg + "plain.go",
			Old:  "|| p.data[first] == '0' && point > first+1 {",
			New:  "|| p.data[first] == '-' {",
			Why:  "a plain number may begin with zeros",
		},
		{
			File: pkg + "plain.go",
			Old:  "(word-ones*' ')&^word | word) & high",
			New:  "word) & high",
			Why:  "plain text may hold control characters",
		},
		{
			File: pkg + "plain.go",
			Old:  "(word-ones*' ')&^word | word) & high",
			New:  "(word-ones*' ')&^word) & high",
			Why:  "plain text need not be UTF-8",
		},
		{
			File: pkg + "plain.go",
			Old:  "if required < n.required {",
			New:  "if seen == 0 {",
			Why:  "a plain document may lack what is required",
		},
		{
			File: pkg + "plain.go",
			Old:  "return p.space(at) == len(p.data)",
			New:  "return true",
			Why:  "anything may follow a plain document",
		},
		{
			File: pkg + "plain.go",
			Old:  "depth >= p.lim.Depth || wanted {",
			New:  "wanted {",
			Why:  "a plain document may be nested deeper than the limit",
		},
		{
			File: pkg + "plain.go",
			Old:  "|| n.enum != nil && !n.allows(&v) {",
			New:  "{",
			Why:  "plain values may be outside of an enum",
		},
		{
			File: pkg + "decode.go",
			Old:  "if so.seen&bit != 0 {",
			New:  "if so.seen&bit == 1<<63 {",
			Why:  "a property may stand twice where the document allows it",
		},
		{
			File: pkg + "compile.go",
			Old:  "if n.kinds&objectKind != 0 && (n.extra != nil || len(n.fields) > 64) {",
			New:  "if n.kinds&objectKind != 0 && len(n.fields) > 64 {",
			Why:  "nobody looks for duplicates among undeclared properties",
		},
		{
			File: pkg + "compile.go",
			Old:  "(n.extra != nil || len(n.fields) > 64)",
			New:  "(n.extra != nil || len(n.fields) > 65)",
			Why:  "nobody looks for duplicates of the 65th property",
		},
		{
			File: pkg + "order.go",
			Old:  "i >= 0 && !strings.ContainsFunc(name, escaped)",
			New:  "i >= 0 && !strings.Contains(name, \"\\x00\")",
			Why:  "an escape is taken for the characters that it is written with",
		},
		{
			File: pkg + "number.go",
			Old:  "case n > maxDoubleDigits:",
			New:  "case n > maxDoubleDigits+2:",
			Why:  "a number of 17 digits is rounded",
		},
		{
			File: pkg + "number.go",
			Old:  "case kinds.number(), kinds&doubleKind != 0 && digits%int64(tens[scale]) != 0:",
			New:  "case kinds.number(), kinds&doubleKind != 0:",
			Why:  "a whole number with a point is no integer",
		},
		{
			File: pkg + "number.go",
			Old:  "if digits == 0 {\n\t\t\treturn 0, 0, 0, size\n\t\t}",
			New:  "",
			Why:  "the quick way passes negative zero",
		},
		{
			File: pkg + "number.go",
			Old:  "if n >= maxIntDigits ||",
			New:  "if n > maxIntDigits ||",
			Why:  "the quick way wraps an integer around",
		},
		{
			File: pkg + "lex.go",
			Old:  "t.data, t.rest, t.dec = data[:end], data[end:], nil",
			New:  "t.data, t.rest, t.dec = data, data[end:], nil",
			Why:  "a token goes on after what jsontext has accepted",
		},
		{
			File: pkg + "lex.go",
			Old:  "if c != ' ' && c != '\\t' && c != '\\r' && c != '\\n' {",
			New:  "if c > ' ' {",
			Why:  "control characters may follow a document",
		},
		{
			File: pkg + "scratch.go",
			Old:  "*arena = used\n",
			New:  "*arena = used[:start]\n",
			Why:  "an arena overwrites what it holds",
		},
		{
			File: pkg + "decode.go",
			Old:  "case escaped: // so it stands where the next such text will",
			New:  "case false:",
			Why:  "texts with escapes share one place",
		},
		{
			File: pkg + "reader.go",
			Old:  "\tif err != nil {\n\t\tr.clear(into)\n\t\treturn err",
			New:  "\tif err != nil {\n\t\treturn err",
			Why:  "values of a refused document stay",
		},
		{
			File: pkg + "reader.go",
			Old:  "\tfor _, c := range r.copies {\n\t\tinto[c[1]] = into[c[0]]\n\t}\n",
			New:  "",
			Why:  "a place that is wanted twice is filled once",
		},
	}
	for i := range list {
		list[i].Package = "./internal/strictjson"
		list[i].Run = "^Test(Read(IsDecode|KeepsLimits|JSONTestSuite)|Scan(Refuses|JSONTestSuite)|DecodeAccepts|ArenasKeepWhatTheyHold|QuickNumber|WrittenOrder|Plain(IsDecode|Repeats))$"
	}
	return list
}
