// Command mutants breaks the rules one line at a time and checks that the
// decision corpus notices.
//
//	go run ./internal/mutants [-only text] [-share n -seed text] [-workers n]
//
// Each fault of the list is compiled in with an overlay, so the tree is never
// changed. A fault is caught when a test fails; a fault that does not compile,
// that nothing notices, or whose place in the source no longer exists exactly
// once makes the run fail, as does a corpus that fails without any fault.
package main

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"
)

func main() {
	only := flag.String("only", "", "run only the faults whose file or reason contains `text`")
	share := flag.Uint("share", 1, "try only one in `n` of them")
	seed := flag.String("seed", "", "which ones follows from this `text`, such as that of a commit")
	workers := flag.Int("workers", 2, "how many faults run at the same time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	chosen := choose(mutants(), *only, *share, *seed)
	if err := run(ctx, chosen, max(1, *workers)); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// choose returns the faults whose file or reason contains a text, or of these one in
// share: another choice for another seed.
func choose(all []mutant, only string, share uint, seed string) []mutant {
	var chosen []mutant
	for _, m := range all {
		hash := fnv.New32a()
		fmt.Fprint(hash, seed, m.File, m.Why)
		if (strings.Contains(m.File, only) || strings.Contains(m.Why, only)) && uint(hash.Sum32())%max(share, 1) == 0 {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

func run(ctx context.Context, chosen []mutant, workers int) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	if err := baseline(ctx, root, chosen); err != nil {
		return err
	}
	results := runAll(ctx, root, chosen, workers)
	failed := 0
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RESULT\tFILE\tFAULT\tNOTICED BY")
	for i, m := range chosen {
		if results[i].state != caught {
			failed++
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", results[i].state, m.File, m.Why, results[i].by)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for i, m := range chosen {
		if results[i].state == broken {
			fmt.Printf("\n%s: %s\n%s\n", m.File, m.Why, results[i].output)
		}
	}
	fmt.Printf("%d of %d faults noticed\n", len(chosen)-failed, len(chosen))
	if failed > 0 || len(chosen) == 0 {
		return fmt.Errorf("%d of %d faults were not noticed", failed, len(chosen))
	}
	return nil
}

// baseline runs every suite without a fault: one that fails by itself would
// seem to notice everything.
func baseline(ctx context.Context, root string, list []mutant) error {
	done := map[suite]bool{}
	for _, m := range list {
		s := m.suite()
		if done[s] {
			continue
		}
		done[s] = true
		if r := goTest(ctx, root, s, ""); r.state != survived {
			return fmt.Errorf("%s %s fails without any fault:\n%s", s.Package, s.Run, r.output)
		} else if !r.ran {
			return fmt.Errorf("%s %s runs no test", s.Package, s.Run)
		}
	}
	return nil
}

func runAll(ctx context.Context, root string, list []mutant, workers int) []result {
	results := make([]result, len(list))
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				results[i] = try(ctx, root, list[i])
				fmt.Fprintf(os.Stderr, "%s  %s: %s\n", results[i].state, list[i].File, list[i].Why)
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	wg.Wait()
	return results
}

func moduleRoot(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOMOD")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if filepath.Base(file) != "go.mod" {
		return "", fmt.Errorf("run inside the module")
	}
	return filepath.Dir(file), nil
}
