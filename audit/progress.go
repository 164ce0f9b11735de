package audit

import "sync"

// Progress is how far a run is.
type Progress struct {
	Read, Size int64 // bytes of the files of event logs, as they lie on the disk
	Records    int   // read, of the journals
	Joining    bool  // all is read
}

// Between two calls of Config.Progress, at least so much is read.
const (
	progressBytes   = 8 << 20
	progressRecords = 10_000
)

// progress calls Config.Progress while two goroutines read.
type progress struct {
	tell func(Progress) // nil: nobody asks
	mu   sync.Mutex
	now  Progress
	told Progress
}

func (p *progress) update(change func(now *Progress)) {
	if p.tell == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.now)
	p.now.Size = max(p.now.Size, p.now.Read) // files grow
	if p.now.Joining || p.now.Read-p.told.Read >= progressBytes || p.now.Records-p.told.Records >= progressRecords {
		p.told = p.now
		p.tell(p.now)
	}
}

func (p *progress) size(bytes int64) { p.update(func(now *Progress) { now.Size = bytes }) }
func (p *progress) read(bytes int64) { p.update(func(now *Progress) { now.Read = bytes }) }
func (p *progress) records(n int)    { p.update(func(now *Progress) { now.Records = n }) }
func (p *progress) joining()         { p.update(func(now *Progress) { now.Joining = true }) }
