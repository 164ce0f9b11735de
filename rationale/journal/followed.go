package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ambit-go/ambit/rationale"
)

// How the names of a follower's files begin and end.
const (
	followerPrefix    = "delivery-"
	cursorExtension   = ".cursor"
	rejectedExtension = ".rejected"
)

func fileName(name string, number uint64, extension string) string {
	return fmt.Sprintf("%s%s.%08d%s", followerPrefix, name, number, extension)
}

// parseFileName reads the name of a follower's file.
func parseFileName(file, extension string) (name string, number uint64, ok bool) {
	rest, ok := strings.CutSuffix(file, extension)
	if !ok {
		return "", 0, false
	}
	if rest, ok = strings.CutPrefix(rest, followerPrefix); !ok {
		return "", 0, false
	}
	name, digits, _ := strings.Cut(rest, ".")
	number, err := strconv.ParseUint(digits, 10, 64)
	return name, number, err == nil && followerName.MatchString(name) && fileName(name, number, extension) == file
}

// cursor is the place of a follower as its files say.
type cursor struct {
	file   string   // that says it; empty: none
	stale  []string // files that do not count
	number uint64   // the highest of any file of the follower
	at     uint64   // that of file
	place  Place
}

// cursors returns the places of all followers that ever began, by name. Of
// several files the latest whole one counts: one that is not whole was being
// written when the process ended. Without a whole one the place is the zero
// Place, which passes nothing over.
func (j *Journal) cursors() (map[string]cursor, error) {
	names, err := j.fs.ReadDir(j.dir)
	if err != nil {
		return nil, err
	}
	found := make(map[string]cursor)
	for _, file := range names {
		if name, number, ok := parseFileName(file, rejectedExtension); ok {
			c := found[name]
			c.number = max(c.number, number)
			found[name] = c
		}
		name, number, ok := parseFileName(file, cursorExtension)
		if !ok {
			continue
		}
		c, path := found[name], filepath.Join(j.dir, file)
		place, whole, err := j.readPlace(path)
		switch {
		case err != nil:
			return nil, err
		case !whole || number < c.at:
			c.stale = append(c.stale, path)
		default:
			if c.file != "" {
				c.stale = append(c.stale, c.file)
			}
			c.file, c.at, c.place = path, number, place
		}
		c.number = max(c.number, number)
		found[name] = c
	}
	return found, nil
}

func (j *Journal) readPlace(path string) (p Place, whole bool, err error) {
	b, err := readFile(j.fs, path)
	if err != nil {
		return Place{}, false, err
	}
	text, rest, _ := bytes.Cut(b, []byte("\n"))
	whole = string(rest) == rationale.Digest(text)+"\n" && json.Unmarshal(text, &p) == nil
	return p, whole, nil
}

// followed returns the index of the first segment that a follower is not done
// with; the number of segments if there is no follower.
func (j *Journal) followed(segments []Segment) (int, error) {
	cursors, err := j.cursors()
	if err != nil {
		return 0, err
	}
	first := len(segments)
	for _, c := range cursors {
		if c.file != "" || len(c.stale) > 0 {
			first = min(first, max(0, startOf(segments, c.place.Head)))
		}
	}
	return first, nil
}

// decisions looks for decisions from the end of the journal on.
func (j *Journal) decisions(ids []string) (map[string]*rationale.Decision, error) {
	wanted, found := make(map[string]bool, len(ids)), make(map[string]*rationale.Decision, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	j.mu.Lock()
	last, segments := j.head, j.index
	j.mu.Unlock()
	for i := len(segments) - 1; i >= 0 && len(wanted) > 0; i-- {
		end := last
		if i+1 < len(segments) {
			end = rationale.Head{Journal: segments[i].Journal, Seq: segments[i+1].First - 1}
			if segments[i+1].Journal != segments[i].Journal {
				end.Seq = 1<<64 - 1 // as far as it can be read
			}
		}
		s := stream{fs: j.fs, last: end, visit: func(l streamed) bool {
			if mentions(l.body, wanted) {
				if d := decisionIn(l.body); d != nil && wanted[d.ID] {
					found[d.ID] = d
					delete(wanted, d.ID)
				}
			}
			return len(wanted) > 0
		}}
		if s.run(segments[i:i+1], mark{}); s.err != nil {
			return found, fmt.Errorf("look for decisions: %w", s.err)
		}
	}
	return found, nil
}

// mentions reports whether one of the ids stands as an id in a canonical body.
func mentions(body []byte, ids map[string]bool) bool {
	const before = `"id":"`
	for {
		i := bytes.Index(body, []byte(before))
		if i < 0 {
			return false
		}
		body = body[i+len(before):]
		if end := bytes.IndexByte(body, '"'); end > 0 && ids[string(body[:end])] {
			return true
		}
	}
}

func decisionIn(body []byte) *rationale.Decision {
	rec, err := rationale.Unmarshal(body)
	if err != nil {
		return nil
	}
	d, _ := rec.(*rationale.Decision)
	return d
}
