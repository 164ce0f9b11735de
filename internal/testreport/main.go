// Command testreport reads the event stream of `go test -json` from its input
// and prints what a person needs: one line for each package, the output of
// what failed, and the name of every test that was skipped.
//
// It exits with 1 when something failed, when no test ran, or when a test was
// skipped whose output contains none of the texts given with -allow-skip.
// With -counts it appends one line "passed failed skipped" to that file.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	var allowed []string
	flag.Func("allow-skip", "allow a skip whose message contains `text`; may be repeated", func(s string) error {
		allowed = append(allowed, s)
		return nil
	})
	counts := flag.String("counts", "", "append the counts to `file`")
	flag.Parse()
	report, err := read(os.Stdin, os.Stdout)
	if err == nil {
		report.print(os.Stdout, allowed)
		err = report.save(*counts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	if !report.ok(allowed) {
		os.Exit(1)
	}
}

// event is one line of the stream, as `go doc test2json` describes it.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Elapsed    float64
	Output     string
}

// test is one test or subtest; Name is empty for the package itself.
type test struct {
	Package, Name, Output string
}

type report struct {
	Passed  int
	Failed  []test
	Skipped []test
}

// read follows the stream to its end and writes a line to progress for each
// package that ends. A line that is no event is an error of the build and is
// copied to progress.
func read(stream io.Reader, progress io.Writer) (*report, error) {
	r := &report{}
	output := map[test]*strings.Builder{}
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(progress, lines.Text())
			continue
		}
		key := test{Package: e.Package, Name: e.Test}
		switch e.Action {
		case "build-output":
			fmt.Fprint(progress, e.Output)
		case "output":
			if output[key] == nil {
				output[key] = &strings.Builder{}
			}
			output[key].WriteString(e.Output)
		case "pass", "fail", "skip":
			r.end(e, key, output[key])
			delete(output, key)
			if e.Test == "" {
				fmt.Fprintf(progress, "%-5s %7.2fs  %s\n", e.Action, e.Elapsed, e.Package)
			}
		}
	}
	return r, lines.Err()
}

func (r *report) end(e event, t test, output *strings.Builder) {
	if output != nil {
		t.Output = output.String()
	}
	switch {
	case e.Action == "fail":
		if t.Name == "" && slices.ContainsFunc(r.Failed, func(f test) bool { return f.Package == t.Package }) {
			return // its tests are listed already
		}
		r.Failed = append(r.Failed, t)
	case t.Name == "": // a package that passed, or has no tests
	case e.Action == "pass":
		r.Passed++
	case e.Action == "skip":
		r.Skipped = append(r.Skipped, t)
	}
}

func (r *report) print(w io.Writer, allowed []string) {
	for _, t := range r.Failed {
		if t.Output != "" {
			fmt.Fprintf(w, "\n=== %s %s\n%s", t.Package, t.Name, t.Output)
		}
	}
	for _, t := range r.Skipped {
		verdict := "skipped, and may not be"
		if mayskip(t, allowed) {
			verdict = "skipped"
		}
		fmt.Fprintf(w, "%s: %s %s\n", verdict, t.Package, t.Name)
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", r.Passed, len(r.Failed), len(r.Skipped))
}

func (r *report) save(file string) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, r.Passed, len(r.Failed), len(r.Skipped))
	return errors.Join(err, f.Close())
}

func (r *report) ok(allowed []string) bool {
	return r.Passed > 0 && len(r.Failed) == 0 &&
		!slices.ContainsFunc(r.Skipped, func(t test) bool { return !mayskip(t, allowed) })
}

func mayskip(t test, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(text string) bool { return strings.Contains(t.Output, text) })
}
