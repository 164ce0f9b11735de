package authority

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls do for every index below n, on all processors. A panic of one
// of them is the caller's, once all have ended.
func parallel(n int, do func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers < 2 {
		for i := range n {
			do(i)
		}
		return
	}
	var (
		next   atomic.Int64
		panics atomic.Pointer[any]
		wg     sync.WaitGroup
	)
	for range workers {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					panics.CompareAndSwap(nil, &r)
				}
			}()
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	wg.Wait()
	if r := panics.Load(); r != nil {
		panic(*r)
	}
}
