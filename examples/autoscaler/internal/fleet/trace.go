package fleet

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Request is one arrival of a load trace.
type Request struct {
	At        time.Duration // since the first arrival of the trace
	Context   int           // tokens to read
	Generated int           // tokens to write
}

// Trace is a load to follow: requests in the order of their arrival.
type Trace []Request

// Length is the time from the first arrival to the last.
func (t Trace) Length() time.Duration {
	if len(t) == 0 {
		return 0
	}
	return t[len(t)-1].At
}

const (
	maxTokens = 1_000_000      // in one request
	maxLength = 24 * time.Hour // of a trace
	header    = "TIMESTAMP,ContextTokens,GeneratedTokens"
)

// ReadFile reads a trace from a CSV file with the columns TIMESTAMP,
// ContextTokens and GeneratedTokens. A timestamp is RFC 3339 or "2006-01-02
// 15:04:05.999", taken as UTC. Rows may stand in any order. Every error begins
// with the file's name and, where a row is at fault, its line.
func ReadFile(name string) (Trace, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(name, f)
}

func read(name string, in io.Reader) (Trace, error) {
	rows := csv.NewReader(in)
	rows.FieldsPerRecord = -1
	first, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: the file is empty: want the header %s", name, header)
	}
	if err != nil {
		return nil, fmt.Errorf("%s:%w", name, lineOf(err))
	}
	if got := strings.TrimPrefix(strings.Join(first, ","), "\ufeff"); got != header {
		return nil, fmt.Errorf("%s:1: header %.100q: want %s", name, got, header)
	}
	var arrivals []arrival
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%w", name, lineOf(err))
		}
		line, _ := rows.FieldPos(0)
		a, err := parseRow(row)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		a.line = line
		arrivals = append(arrivals, a)
	}
	return fromArrivals(name, arrivals)
}

type arrival struct {
	line    int
	at      time.Time
	request Request
}

func fromArrivals(name string, arrivals []arrival) (Trace, error) {
	if len(arrivals) == 0 {
		return nil, fmt.Errorf("%s: no request follows the header", name)
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return a.at.Compare(b.at) })
	start := arrivals[0].at
	trace := make(Trace, len(arrivals))
	for i, a := range arrivals {
		trace[i] = a.request
		trace[i].At = a.at.Sub(start)
		if trace[i].At > maxLength {
			return nil, fmt.Errorf("%s:%d: TIMESTAMP is more than %s after the earliest one, of line %d",
				name, a.line, maxLength, arrivals[0].line)
		}
	}
	return trace, nil
}

// lineOf turns a CSV error into "LINE: what is wrong".
func lineOf(err error) error {
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return fmt.Errorf("%d: %w", bad.Line, bad.Err)
	}
	return fmt.Errorf(" %w", err)
}

func parseRow(row []string) (arrival, error) {
	if len(row) != 3 {
		return arrival{}, fmt.Errorf("%d columns: want 3 (%s)", len(row), header)
	}
	at, err := parseTime(row[0])
	if err != nil {
		return arrival{}, err
	}
	context, err := parseTokens("ContextTokens", row[1])
	if err != nil {
		return arrival{}, err
	}
	generated, err := parseTokens("GeneratedTokens", row[2])
	if err != nil {
		return arrival{}, err
	}
	return arrival{at: at, request: Request{Context: context, Generated: generated}}, nil
}

func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02 15:04:05", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("TIMESTAMP %.60q: want 2006-01-02 15:04:05.999 or RFC 3339", text)
}

func parseTokens(column, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxTokens {
		return 0, fmt.Errorf("%s %.60q: want a whole number from 0 to %d", column, text, maxTokens)
	}
	return n, nil
}
