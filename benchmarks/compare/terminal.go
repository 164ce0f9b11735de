package main

import (
	"fmt"
	"io"
	"os"
)

// terminal reports whether somebody may be looking.
func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// coloured reports whether to use colours: see https://no-color.org.
func coloured(w io.Writer) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == ""
}

// progress says on a terminal what is going on; elsewhere nothing. The line is
// written over and over, and is gone at the end. What is noted stays, everywhere.
type progress struct{ w, notes io.Writer }

func newProgress(w io.Writer) progress {
	if !terminal(w) {
		return progress{io.Discard, w}
	}
	return progress{w, w}
}

func (p progress) note(format string, args ...any) {
	p.done()
	fmt.Fprintf(p.notes, "compare: "+format+"\n", args...)
}

func (p progress) say(format string, args ...any) {
	fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
}

func (p progress) done() { fmt.Fprint(p.w, "\r\x1b[K") }
