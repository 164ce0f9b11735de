package journal

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/ambit-go/ambit/rationale"
)

// Entry is one record with its place.
type Entry struct {
	File     string // as it can be opened
	Line     int    // from 1
	Envelope rationale.Envelope
	Record   rationale.Record
}

// ReadError says which line of which file could not be read or breaks the chain.
type ReadError struct {
	File string
	Line int   // from 1; 0: the file as a whole
	Err  error // a *rationale.ChainError where the chain breaks
}

func (e *ReadError) Error() string {
	if chain, ok := errors.AsType[*rationale.ChainError](e.Err); ok {
		return fmt.Sprintf("%s:%d: chain broken (%s): %s", e.File, e.Line, chain.Problem, chain.Detail)
	}
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

func (e *ReadError) Unwrap() error { return e.Err }

// Torn reports whether err says that a file's last line has no end: the writer
// stopped in the middle of it (or is writing it now), so it was never
// acknowledged.
func Torn(err error) bool {
	chain, ok := errors.AsType[*rationale.ChainError](err)
	return ok && chain.Problem == rationale.ChainTorn
}

// Read yields the records of a journal file, or of every journal file of a
// folder (not of its subfolders): the files in the order of their names, which
// is that of their start, and each file's records in the order in which they
// were appended. Records of several files are not merged by time.
//
// The chain of each file is verified on the way. Every problem is yielded as a
// *[ReadError] with a zero Entry, at the place where it is found, and reading goes
// on: a line that breaks the chain but can be read follows as an entry of its
// own. So who reads on after an error sees all there is, and who wants only
// sound evidence stops at the first. A folder without journal files yields
// nothing; a path that does not exist yields an error.
func Read(path string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		files, err := list(path)
		if err != nil {
			yield(Entry{}, &ReadError{File: path, Err: err})
			return
		}
		for _, name := range files {
			if !readFile(name, yield) {
				return
			}
		}
	}
}

// list returns the journal files at a path, sorted.
func list(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && isJournal(e.Name()) {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	return files, nil
}

// isJournal holds for the names that Open gives, so that other JSON lines in the
// folder, such as exported spans, are left alone.
func isJournal(name string) bool {
	id, ok := strings.CutSuffix(name, Extension)
	return ok && len(id) == 36 && strings.Trim(id, "0123456789abcdef-") == ""
}

// readFile reports whether the reader wants more.
func readFile(name string, yield func(Entry, error) bool) bool {
	f, err := os.Open(name)
	if err != nil {
		return yield(Entry{}, &ReadError{File: name, Err: err})
	}
	defer f.Close()
	var (
		verifier rationale.Verifier
		n        int
		id       = strings.TrimSuffix(filepath.Base(name), Extension)
	)
	for line, err := range rationale.Lines(f) {
		n++
		if err != nil {
			return yield(Entry{}, &ReadError{name, n, err})
		}
		envelope, err := verifier.Next(line)
		if err == nil && n == 1 && isJournal(filepath.Base(name)) && envelope.Journal != id {
			err = &rationale.ChainError{
				Line: n, Problem: rationale.ChainForeign,
				Detail: fmt.Sprintf("journal %s in the file of another", rationale.Printable(envelope.Journal)),
			}
		}
		if err != nil && !yield(Entry{}, &ReadError{name, n, err}) {
			return false
		}
		if envelope.Body == nil {
			continue
		}
		rec, err := rationale.Unmarshal(envelope.Body)
		if err != nil {
			if !yield(Entry{}, &ReadError{name, n, err}) {
				return false
			}
			continue
		}
		if !yield(Entry{name, n, envelope, rec}, nil) {
			return false
		}
	}
	return true
}
