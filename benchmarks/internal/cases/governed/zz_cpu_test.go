package governed

import (
	"fmt"
	"os"
	"runtime/pprof"
	"syscall"
	"testing"
	"time"
)

func cpu() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
func TestZZ(t *testing.T) {
	cases, closing, err := Journalled()
	if err != nil {
		t.Fatal(err)
	}
	defer closing()
	only := os.Getenv("ONLY")
	for _, c := range cases {
		for _, i := range c.Impls {
			if only != "" && only != c.Name {
				continue
			}
			n := map[string]int{"governed-sync": 500, "fsync-floor": 500, "governed-sync-64": 30000, "governed-os": 30000, "write-floor": 100000}[c.Name]
			i.Run(n / 10)
			i.After()
			if only != "" {
				n *= 10
				f, _ := os.Create("/tmp/zz.prof")
				pprof.StartCPUProfile(f)
				defer pprof.StopCPUProfile()
			}
			a, s := cpu(), time.Now()
			i.Run(n)
			b, e := cpu(), time.Now()
			fmt.Printf("%-18s cpu %8.1f us  wall %8.1f us\n", c.Name, float64((b-a).Nanoseconds())/1e3/float64(n), float64(e.Sub(s).Nanoseconds())/1e3/float64(n))
			if err := i.After(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
