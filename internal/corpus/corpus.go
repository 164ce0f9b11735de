// Package corpus loads the decision corpus of testdata/corpus: named calls
// with the decision that each must get. Every path through the library replays
// it. The format is described in testdata/corpus/README.md.
package corpus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/internal/callfile"
	"github.com/ambit-go/ambit/rationale"
)

// Suite is one folder of the corpus: documents, a manifest, and cases.
type Suite struct {
	Name string
	Dir  string
	// Before are documents that were loaded first; Documents took their place.
	Before        []authority.Document
	Documents     []authority.Document
	Manifest      authority.Manifest
	AllowUnsigned bool
	Cases         []Case
}

// Case is one named call and what must come of it.
type Case struct {
	Name string
	Rule string // what of the design it pins
	Call *callfile.Call
	File []byte // the call file itself, merged with the suite's defaults
	Want Want
}

// Want is the decision that a case must get. Verdict, reasons, class, tier and
// standing always count; the others where they are given.
type Want struct {
	Verdict  string   `json:"verdict"`
	Reasons  []string `json:"reasons"`
	Class    string   `json:"class"`
	Tier     string   `json:"tier"`
	Standing string   `json:"standing"`

	BaseTier string   `json:"base_tier,omitempty"`
	Mode     string   `json:"mode,omitempty"`
	Would    string   `json:"would,omitempty"`
	Domain   string   `json:"domain,omitempty"`
	Version  int      `json:"version,omitempty"` // of the authorization
	Spend    string   `json:"spend,omitempty"`
	Failed   []string `json:"failed,omitempty"` // ids of the checks that did not pass
	Missing  []string `json:"missing,omitempty"`
	Review   *bool    `json:"review,omitempty"`
	Ticket   *bool    `json:"ticket,omitempty"`
}

type suiteFile struct {
	AllowUnsigned bool                       `json:"allow_unsigned"`
	Defaults      map[string]json.RawMessage `json:"defaults"`
	Cases         []struct {
		Name string                     `json:"name"`
		Rule string                     `json:"rule"`
		Call map[string]json.RawMessage `json:"call"`
		Want Want                       `json:"want"`
	} `json:"cases"`
}

// Load reads every suite of a corpus folder. Names must be distinct.
func Load(dir string) ([]Suite, error) {
	var suites []Suite
	seen := make(map[string]bool)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "cases.json" {
			return err
		}
		suite, err := loadSuite(filepath.Dir(path))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, c := range suite.Cases {
			if full := suite.Name + "/" + c.Name; seen[full] {
				return fmt.Errorf("%s: two cases are named %q", path, c.Name)
			} else {
				seen[full] = true
			}
		}
		suites = append(suites, suite)
		return nil
	})
	return suites, err
}

func loadSuite(dir string) (Suite, error) {
	suite := Suite{Name: filepath.Base(dir), Dir: dir}
	data, err := os.ReadFile(filepath.Join(dir, "cases.json"))
	if err != nil {
		return suite, err
	}
	var file suiteFile
	if err := strict(data, &file); err != nil {
		return suite, err
	}
	suite.AllowUnsigned = file.AllowUnsigned
	if suite.Documents, err = authority.ReadDir(filepath.Join(dir, "policy")); err != nil {
		return suite, err
	}
	if suite.Before, err = authority.ReadDir(suite.BeforeDir()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return suite, err
	}
	name := filepath.Join(dir, "manifest.yaml")
	if data, err = os.ReadFile(name); err != nil {
		return suite, err
	}
	if suite.Manifest, err = authority.ParseManifest(name, data); err != nil {
		return suite, err
	}
	for _, c := range file.Cases {
		merged, err := merge(file.Defaults, c.Call)
		if err != nil {
			return suite, err
		}
		call, err := callfile.Parse(merged)
		if err != nil {
			return suite, fmt.Errorf("case %q: %w", c.Name, err)
		}
		suite.Cases = append(suite.Cases, Case{Name: c.Name, Rule: c.Rule, Call: call, File: merged, Want: c.Want})
	}
	return suite, nil
}

// merge lays a case's members over the defaults. The three spellings of the
// arguments replace each other; null removes a default.
func merge(defaults, over map[string]json.RawMessage) ([]byte, error) {
	merged := make(map[string]json.RawMessage)
	spellings := []string{"arguments", "arguments_text", "arguments_base64"}
	given := slices.ContainsFunc(spellings, func(s string) bool { return over[s] != nil })
	for k, v := range defaults {
		if given && slices.Contains(spellings, k) {
			continue
		}
		merged[k] = v
	}
	for k, v := range over {
		if string(v) == "null" {
			delete(merged, k)
			continue
		}
		merged[k] = v
	}
	return json.Marshal(merged)
}

func strict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

// BeforeDir is where the documents that were loaded first lie, if there are any.
func (s Suite) BeforeDir() string { return filepath.Join(s.Dir, "before") }

// Set loads the suite's documents, in place of those before them.
func (s Suite) Set() (*authority.Set, error) {
	if len(s.Before) == 0 {
		return authority.Load(s.Documents, s.Manifest, s.Options()...)
	}
	set, err := authority.Load(s.Before, s.Manifest, s.Options()...)
	if err != nil {
		return nil, err
	}
	return set.Reload(s.Documents)
}

// Options returns the options that the suite's documents load with.
func (s Suite) Options() []authority.Option {
	if s.AllowUnsigned {
		return []authority.Option{authority.AllowUnsigned()}
	}
	return nil
}

// Differences compares a decision with what the case wants; none: it is right.
func (w Want) Differences(d *rationale.Decision) []string {
	var diffs []string
	compare := func(what, got, want string) {
		if got != want {
			diffs = append(diffs, fmt.Sprintf("%s is %q, want %q", what, got, want))
		}
	}
	optional := func(what, got, want string) {
		if want != "" {
			compare(what, got, want)
		}
	}
	compare("verdict", d.Verdict.String(), w.Verdict)
	compare("reasons", fmt.Sprint(texts(d.Reasons)), fmt.Sprint(texts(w.Reasons)))
	compare("class", d.Class, w.Class)
	compare("standing", d.Standing.String(), w.Standing)
	if d.Class != "" || w.Tier != "" {
		compare("tier", d.Tier.String(), w.Tier)
	}
	optional("base tier", d.BaseTier.String(), w.BaseTier)
	optional("mode", d.Mode.String(), w.Mode)
	optional("domain", d.Domain, w.Domain)
	if w.Would != "" {
		would := ""
		if d.Would != nil {
			would = d.Would.String()
		}
		compare("would", would, w.Would)
	}
	if w.Version != 0 {
		version := 0
		if d.Authorization != nil {
			version = d.Authorization.Version
		}
		compare("version", fmt.Sprint(version), fmt.Sprint(w.Version))
	}
	if w.Spend != "" {
		amount := ""
		if d.Spend != nil {
			amount = d.Spend.Amount
		}
		compare("spend", amount, w.Spend)
	}
	if w.Missing != nil {
		var missing []rationale.Field
		if d.RationaleCheck != nil {
			missing = d.RationaleCheck.Missing
		}
		compare("missing", fmt.Sprint(texts(missing)), fmt.Sprint(texts(w.Missing)))
	}
	if w.Failed != nil {
		compare("failed checks", fmt.Sprint(failed(d)), fmt.Sprint(w.Failed))
	}
	if w.Review != nil {
		compare("review", fmt.Sprint(d.Review != nil), fmt.Sprint(*w.Review))
	}
	if w.Ticket != nil {
		compare("ticket", fmt.Sprint(d.Ticket != nil), fmt.Sprint(*w.Ticket))
	}
	return diffs
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

func failed(d *rationale.Decision) []string {
	var ids []string
	for _, c := range d.Checks {
		if c.Result != rationale.Passed {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
