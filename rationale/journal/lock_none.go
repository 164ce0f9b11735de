//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package journal

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// lock refuses: without a lock two processes could write one journal.
func lock(*os.File) error {
	return fmt.Errorf("journals cannot be locked on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func unlock(*os.File) error { return nil }
