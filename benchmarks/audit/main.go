// Command audit measures what an audit of much costs: its time beside that of a bare
// pass of a JSON tokenizer over the same bytes, and its memory.
//
//	go run ./benchmarks/audit [-sizes 100000,1000000,3000000] [-dir DIR] [-slack 1]
//
// For each size it makes so many CloudTrail events, all of them acts of one agent, and a
// journal of so many records: each decision allows a call that makes two events. Most events
// carry the decision's id, a tenth carries no key and is joined weakly, and one in a thousand
// is behind the guard's back. Each audit runs in a process of its own, whose memory is what
// the operating system says it took at most.
//
// It exits with 1 where an audit takes more than 4 times the bare pass, more than 500 MiB,
// much more memory for the largest size than for the one before, or finds what is not there.
// On a busy machine -slack multiplies the limit of time.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ambit-go/ambit/audit"
)

// Limits of what an audit may cost.
const (
	maxRatio  = 4.0       // of the bare pass
	maxMemory = 500 << 20 // bytes
	maxGrowth = 1.25      // of memory, from one size to the next, above the smallest
)

func main() {
	sizes := flag.String("sizes", "100000,1000000,3000000", "how many events, and how many records")
	dir := flag.String("dir", "", "a `FOLDER` to work in (default: a temporary one)")
	slack := flag.Float64("slack", 1, "multiplies the limit of time")
	child := flag.String("child", "", "internal: audit the `FOLDER` and print what it took")
	flag.Parse()
	var err error
	if *child != "" {
		err = audited(*child)
	} else {
		err = run(*sizes, *dir, *slack)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
		os.Exit(1)
	}
}

func run(sizes, dir string, slack float64) (err error) {
	dir, err = os.MkdirTemp(dir, "ambit-audit-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%9s  %9s  %9s  %18s  %18s  %6s  %8s\n", "events", "records", "megabytes", "bare pass (CPU)", "audit (CPU)", "ratio", "memory")
	var beyond []error
	before := int64(0)
	for i, text := range strings.Split(sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1000 {
			return fmt.Errorf("-sizes: %q is no number of at least 1000", text)
		}
		m, err := measure(filepath.Join(dir, strconv.Itoa(n)), n)
		if err != nil {
			return err
		}
		fmt.Printf("%9d  %9d  %9d  %18s  %18s  %6.2f  %4d MiB\n", n, n, m.Bytes>>20, m.Pass, m.Audit, m.ratio(), m.memory>>20)
		if m.ratio() > maxRatio*slack {
			beyond = append(beyond, fmt.Errorf("%d events: %.2f times the bare pass, more than %.1f", n, m.ratio(), maxRatio*slack))
		}
		if m.memory > maxMemory {
			beyond = append(beyond, fmt.Errorf("%d events: %d MiB, more than %d", n, m.memory>>20, maxMemory>>20))
		}
		if i > 1 && float64(m.memory) > maxGrowth*float64(before) {
			beyond = append(beyond, fmt.Errorf("%d events: %d MiB, and %d MiB for fewer: memory is not flat", n, m.memory>>20, before>>20))
		}
		before = m.memory
	}
	return errors.Join(beyond...)
}

// measured is what one audit took.
type measured struct {
	Bytes       int64
	Pass, Audit cost
	memory      int64
}

// cost is time by the clock, and of processors.
type cost struct{ Wall, CPU time.Duration }

func (c cost) String() string {
	return fmt.Sprintf("%s (%s)", c.Wall.Round(10*time.Millisecond), c.CPU.Round(10*time.Millisecond))
}

// ratio is of the time by the clock, or of processors where that is less: on a
// machine that is busy with others, the one that did not have to wait.
func (m *measured) ratio() float64 {
	return min(float64(m.Audit.Wall)/float64(m.Pass.Wall), float64(m.Audit.CPU)/float64(m.Pass.CPU))
}

// clock returns a function that returns what was spent since.
func clock() func() cost {
	began, before := time.Now(), processors()
	return func() cost { return cost{time.Since(began), processors() - before} }
}

func processors() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func measure(dir string, n int) (m measured, err error) {
	if err := generate(dir, n); err != nil {
		return m, err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return m, err
	}
	cmd := exec.Command(self, "-child", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return m, fmt.Errorf("the audit of %d events: %w", n, err)
	}
	if err := json.Unmarshal(out, &m); err != nil {
		return m, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return m, errors.New("this system does not say how much memory a process took")
	}
	m.memory = usage.Maxrss
	if runtime.GOOS != "darwin" {
		m.memory *= 1024
	}
	return m, nil
}

// audited passes over the data and audits it, and prints what both took.
func audited(dir string) error {
	var m measured
	spent := clock()
	var err error
	for _, pattern := range []string{"logs/*", "bodies.jsonl"} {
		files, globErr := filepath.Glob(filepath.Join(dir, pattern))
		err = errors.Join(err, globErr)
		for _, name := range files {
			size, passErr := pass(name)
			m.Bytes += size
			err = errors.Join(err, passErr)
		}
	}
	if err != nil {
		return err
	}
	m.Pass = spent()
	name := filepath.Join(dir, "audit.yaml")
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	doc, err := audit.Load(name, data)
	if err != nil {
		return err
	}
	debug.SetMemoryLimit(audit.Memory)
	spent = clock()
	unexplained := 0
	report, err := audit.Run(context.Background(), audit.Config{
		Document: doc, Only: []audit.Kind{audit.Unexplained, audit.Unauthorized, audit.Orphan},
		Findings: func(audit.Finding) error { unexplained++; return nil },
	})
	if err != nil {
		return err
	}
	m.Audit = spent()
	if err := verify(dir, report, unexplained); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(m)
}

// pass reads all tokens of a file.
func pass(name string) (int64, error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	dec := jsontext.NewDecoder(file)
	for {
		_, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return dec.InputOffset(), nil
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
	}
}
