package audit

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// state is what a run leaves for the next one, so that each event is judged once
// and no event that is delivered late is missed: how far each file was read, and
// until when was judged.
type state struct {
	Audit string               `json:"audit"` // the document's id
	Until time.Time            `json:"until"`
	Files map[string]fileState `json:"files"` // by path
	// Recorded says that the results of the runs so far are records. What a run that
	// is not recorded found would be missing in those of the runs after it.
	Recorded bool `json:"recorded,omitempty"`
}

// fileState is how far a file was read. Another file under the same name has
// another beginning, and the same file under another name the same events.
type fileState struct {
	Read   int64  `json:"read"` // bytes of what it holds unpacked
	Head   int    `json:"head"` // bytes of its beginning
	Digest string `json:"digest"`
	Events string `json:"events"` // a digest of those up to there
	// As the file was then.
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
}

const maxHead = 512

// readState reads what the run before left; nothing where there was none.
func (d *Document) readState() (*state, error) {
	if d.state == "" {
		return &state{}, nil
	}
	data, err := os.ReadFile(d.state)
	if errors.Is(err, fs.ErrNotExist) {
		return &state{}, nil
	}
	if err != nil {
		return nil, err
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s: %w: remove it to judge everything again", d.state, err)
	}
	if s.Audit != d.ID {
		return nil, fmt.Errorf("%s: it is the state of audit %q, not of %q: give each audit a file of its own", d.state, s.Audit, d.ID)
	}
	return &s, nil
}

// Keep writes the document's state, where it has one: what this run judged, the
// next one does not judge again. Call it when what was found is safe, and recorded if
// Config.Record says so. The state is left as it is by a run that is not recorded
// where those before it are, by one that begins later than where they ended,
// and by one that ends earlier: what lies between would never be judged.
func (r *Report) Keep() error {
	if r.statePath == "" || r.before.Recorded && !r.state.Recorded {
		return nil
	}
	if last := r.before.Until; !last.IsZero() && (r.from.After(last) || r.Until.Before(last)) {
		return nil
	}
	data, err := json.Marshal(r.state)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(r.statePath), ".ambit-audit-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), r.statePath)
}

// readBefore returns how far a file was read before, and what to remember of it. A file
// that changed since, and one that may have had another name, must be held against
// others, the shortest first: it is one of them if it has its events.
func (s *state) readBefore(f logFile, renamed bool, in *bufio.Reader) (read int64, others []fileState, now fileState) {
	head, _ := in.Peek(maxHead) // an error comes again when it is read
	now = fileState{Head: len(head), Digest: rationale.Digest(head), Size: f.size, Modified: f.modified}
	before, known := s.Files[f.path]
	if known && before.Head >= 0 && before.Head <= len(head) && rationale.Digest(head[:before.Head]) == before.Digest {
		if before.Size == f.size && before.Modified.Equal(f.modified) {
			return before.Read, nil, now
		}
		others = append(others, before)
	}
	if renamed && now.Head == maxHead {
		for path, before := range s.Files {
			if path != f.path && before.Head == maxHead && before.Digest == now.Digest {
				others = append(others, before)
			}
		}
	}
	slices.SortFunc(others, func(a, b fileState) int { return cmp.Compare(a.Read, b.Read) })
	return 0, others, now
}
