package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// mutant is one fault: in File, the text Old, which occurs exactly once,
// becomes New.
type mutant struct {
	File string // relative to the module's root, with slashes
	Old  string
	New  string
	Why  string // what is broken, in the words of the rule
	// Package and Run name the tests that must notice; empty: the decision
	// corpus of package authority.
	Package, Run string
}

// suite is a set of tests.
type suite struct{ Package, Run string }

func (m mutant) suite() suite {
	s := suite{Package: "./authority", Run: "^TestCorpus$"}
	if m.Package != "" {
		s.Package = m.Package
	}
	if m.Run != "" {
		s.Run = m.Run
	}
	return s
}

type state string

const (
	caught   state = "caught"
	survived state = "SURVIVED"
	broken   state = "BROKEN" // it could not be tried
)

type result struct {
	state  state
	by     string // the first test that failed, as deep as it is named
	ran    bool   // at least one test ran
	output string
}

// apply returns the file's text with the fault in it.
func (m mutant) apply(root string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.File)))
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(text, []byte(m.Old)); n != 1 {
		return nil, fmt.Errorf("%s: the text occurs %d times, want 1: %q", m.File, n, m.Old)
	}
	if m.Old == m.New {
		return nil, fmt.Errorf("%s: the fault changes nothing: %q", m.File, m.Old)
	}
	return bytes.Replace(text, []byte(m.Old), []byte(m.New), 1), nil
}

// try runs the mutant's suite with the fault compiled in.
func try(ctx context.Context, root string, m mutant) result {
	text, err := m.apply(root)
	if err != nil {
		return result{state: broken, output: err.Error()}
	}
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return result{state: broken, output: err.Error()}
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(dir, filepath.Join(root, filepath.FromSlash(m.File)), text)
	if err != nil {
		return result{state: broken, output: err.Error()}
	}
	return goTest(ctx, root, m.suite(), overlay)
}

func writeOverlay(dir, file string, text []byte) (string, error) {
	mutated := filepath.Join(dir, "mutated.go")
	if err := os.WriteFile(mutated, text, 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: mutated}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, overlay, 0o600)
}

// goTest runs a suite, with an overlay unless it is empty.
func goTest(ctx context.Context, root string, s suite, overlay string) result {
	args := []string{"test", "-json", "-count=1", "-vet=off", "-failfast", "-timeout=2m", "-run=" + s.Run}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, s.Package)...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	r := judge(stdout)
	r.output += stderr.String()
	if ctx.Err() != nil || (err != nil && r.state == survived) {
		r.state = broken // the run failed or was stopped, yet no test failed
		r.output += fmt.Sprintf("go test: %v", errors.Join(err, ctx.Err()))
	}
	return r
}

// judge reads the events of `go test -json`. A test that failed has noticed;
// a build that failed has not.
func judge(stream []byte) result {
	r := result{state: survived}
	var output strings.Builder
	lines := bufio.NewScanner(bytes.NewReader(stream))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		output.WriteString(e.Output)
		r.ran = r.ran || e.Test != ""
		switch {
		case e.Action == "build-fail":
			r.state = broken
		case e.Action == "fail" && e.Test != "" && r.state != broken:
			r.state = caught
			if r.by == "" { // a subtest ends before its parent
				r.by = e.Test
			}
		}
	}
	if err := lines.Err(); err != nil {
		return result{state: broken, output: err.Error()}
	}
	r.output = output.String()
	return r
}
