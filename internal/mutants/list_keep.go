package main

// keeping breaks what a class says of its records. Values and digests that
// should not be there change no verdict, so each fault names its tests.
func keeping() []mutant {
	const (
		file     = "authority/keep.go"
		pkg      = "./otelx"
		sealed   = "^TestWhatIsSealedIsNowherePlain$"
		journals = "./rationale/journal"
		keys     = "^(Test.*Subject.*|TestErase.*|TestReadersShow.*)$"
		tests    = "^(TestWhatAClassKeeps|TestARefusalSaysWhatTheRecordWithholds)$"
	)
	return []mutant{
		{
			File: file, Package: pkg, Run: tests,
			Old: "if digest == \"\" || e.keep.Arguments < keepHMAC {",
			New: "if digest == \"\" || e.keep.Arguments < keepDrop {",
			Why: "keyed arguments can be guessed from the digest of the action",
		},
		{
			File: file, Package: pkg, Run: tests,
			Old: "case keepDrop: // the digest too: there may be few possible values\n",
			New: "case keepDrop:\n\t\td.ArgumentsDigest = rationale.Digest(value)\n",
			Why: "dropped arguments can be guessed from their digest",
		},
		{
			File: file, Package: pkg, Run: tests,
			Old: "\tif e.keep.quoted() >= keepHMAC {\n\t\tc.Told, message = message, withheld\n\t}\n",
			New: "",
			Why: "an error quotes what the class does not keep",
		},
		{
			File: file, Package: pkg, Run: tests,
			Old: "c.Told, message = message, withheld",
			New: "message = withheld",
			Why: "the model is not told what was wrong with its arguments",
		},
		{
			File: file, Package: pkg, Run: "^TestEachFieldIsKeptByItself$",
			Old: "func (p *recordPolicy) quoted() disposal { return max(p.Arguments, p.Facts) }",
			New: "func (p *recordPolicy) quoted() disposal { return p.Facts }",
			Why: "an error quotes arguments where facts are kept",
		},
		{
			File: file, Package: pkg, Run: tests,
			Old: "\tcase \"args\", \"derived\":\n",
			New: "\tcase \"args\":\n",
			Why: "values derived from arguments are kept where these are not",
		},
		{
			File: file, Package: pkg, Run: tests,
			Old: "\t\tif c := e.tool.contestFor(&e.call.Agent); c != nil {\n\t\t\treturn &c.record\n\t\t}\n",
			New: "",
			Why: "a call without a class is recorded whole",
		},
		{
			File: file, Package: pkg, Run: tests,
			Old: "digest = r.key.Digest(path, bytes.Clone(r.json[start:]))\n\t\tr.json = r.json[:start]",
			New: "digest = r.key.Digest(path, bytes.Clone(r.json[start:]))",
			Why: "the inputs of checks have the value beside its keyed digest",
		},
		{
			File: "authority/decode_class.go", Package: pkg, Run: "^TestEachFieldIsKeptByItself$",
			Old: "p.Reasoning = max(p.Reasoning, p.Rationale)", New: "",
			Why: "what the model said beside a rationale is kept where that is not",
		},
		{
			File: "guard/end.go", Package: pkg, Run: tests,
			Old: "g.recordKey.Digest(\"results\", result), 0 //",
			New: "g.recordKey.Digest(\"results\", result), int64(len(result)) //",
			Why: "the length tells a short result",
		},
		{
			File: "rationale/recordkey.go", Package: "./rationale", Run: "^TestRecordKeysThatHideNothingAreRefused$",
			Old: "if len(k.Secret) < minSecret {",
			New: "if len(k.Secret) == 0 {",
			Why: "a key is so short that it can be guessed",
		},
		{
			File: file, Package: "./authority", Run: "^TestLoadRefuses$",
			Old: "if len(s.manifest.RecordKeys) > 0 {",
			New: "if true {",
			Why: "keyed digests are made with a key that nobody has",
		},
		{
			File: "guard/begin.go", Package: "./guard", Run: "^TestWithoutAKeyCallsAreDenied$",
			Old: "\tif err == nil {\n\t\terr = sealing\n\t}\n",
			New: "\t_ = sealing\n",
			Why: "a call runs whose record could not be sealed",
		},
		{
			File: "guard/erase.go", Package: "./guard", Run: "^TestWithoutAKeyCallsAreDenied$",
			Old: "\tif err != nil {\n\t\td.Strip()\n\t\treturn rationale.SubjectKey{}, err\n\t}\n",
			New: "\tif err != nil {\n\t\treturn rationale.SubjectKey{}, err\n\t}\n",
			Why: "telemetry has what could not be sealed",
		},
		{
			File: "guard/erase.go", Package: "./guard", Run: "^TestWhatCannotBeReadIsLeftOut$",
			Old: "case err != nil || unknown:",
			New: "case err != nil || unknown && false:",
			Why: "arguments of nobody knows whom are recorded plain",
		},
		{
			File: "guard/end.go", Package: pkg, Run: sealed,
			Old: "_ = o.Seal(d.state.subject) // it sealed the decision",
			New: "_ = d.state.subject",
			Why: "results are not sealed",
		},
		{
			File: "rationale/seal.go", Package: pkg, Run: sealed,
			Old: "d.ActionDigest = RecordKey(key).DigestText(\"action\", action)",
			New: "d.ActionDigest = action",
			Why: "sealed arguments can be guessed from the digest of the action",
		},
		{
			File: "rationale/seal.go", Package: "./rationale", Run: "^TestAPayloadBelongsToItsRecord$",
			Old: "return []byte(string(kind) + \"\\x00\" + id)",
			New: "return []byte(kind)",
			Why: "a payload can be moved to another record",
		},
		{
			File: "rationale/journal/subjects.go", Package: journals, Run: keys,
			Old: "\t\tif there, err := exists(s.fs, s.path(subject)); err != nil {",
			New: "\t\tif there, err := true, error(nil); err != nil {",
			Why: "a key that another process destroyed is used on",
		},
		{
			File: "rationale/journal/subjects.go", Package: journals, Run: keys,
			Old: "\tif err := errors.Join(writeAll(f, append(data, '\\n')), f.Sync(), f.Close()); err != nil {",
			New: "\tif err := errors.Join(writeAll(f, append(data, '\\n')), f.Close()); err != nil {",
			Why: "a key is used that is not durable",
		},
		{
			File: "rationale/journal/subjects.go", Package: journals, Run: keys,
			Old: "return key, s.fs.SyncDir(s.dir)",
			New: "return key, nil",
			Why: "a key is used whose name is not durable",
		},
		{
			File: "rationale/journal/subjects.go", Package: journals, Run: keys,
			Old: "\t\tif err == nil {\n\t\t\terr = s.remove(path)\n\t\t}\n",
			New: "\t\tif err == nil {\n\t\t\treturn key, nil\n\t\t}\n",
			Why: "a key whose erasure was interrupted is used on",
		},
		{
			File: "rationale/journal/subjects.go", Package: journals, Run: keys,
			Old: "\tif err := s.store(filepath.Join(s.dir, key.ID+owedSuffix), note); err != nil {\n\t\treturn true, err\n\t}\n\treturn true, s.remove(path)",
			New: "\tif err := s.remove(path); err != nil {\n\t\treturn true, err\n\t}\n\treturn true, s.store(filepath.Join(s.dir, key.ID+owedSuffix), note)",
			Why: "a destroyed key is forgotten where the note of it fails",
		},
	}
}
