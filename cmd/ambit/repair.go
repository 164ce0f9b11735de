package main

import (
	"fmt"

	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

const repairHelp = `
Usage: ambit repair DIR

Makes an evidence folder usable again that a guard refuses to open because of damage.
First see what is wrong with 'ambit verify DIR', and restore the file from a copy if there
is one: that loses nothing, a repair gives up on what is damaged.

Nothing is removed. Each damaged segment gets a name that ends in .seg.damaged, and a
journal with a new id begins, whose first record names these files, their digests, and the
last good record before the damage. 'ambit verify' keeps reporting the damage. The torn end
that a crash leaves is no damage, and needs no repair.

Exits with 0 when the folder is usable, 1 when it could not be repaired, 2 on misuse.
`

func repair(t *terminal, args []string) int {
	f := newFlags(t, "repair", repairHelp)
	dirs, code := f.parse(args, "one evidence folder", 1, 1)
	if code >= 0 {
		return code
	}
	done, err := journal.Repair(dirs[0])
	if err != nil {
		fmt.Fprintf(t.err, "ambit repair: %v\n", err)
		return exitFailed
	}
	if done.Journal == "" {
		fmt.Fprintln(t.out, "Nothing is damaged; nothing was changed.")
		return exitOK
	}
	for _, d := range done.Aside {
		if d.Missing {
			fmt.Fprintf(t.out, "missing     %s: %s\n", rationale.Printable(d.File), rationale.Printable(d.Problem))
			continue
		}
		fmt.Fprintf(t.out, "set aside   %s (%s), damaged from byte %d on: %s\n",
			rationale.Printable(d.File), d.Digest, d.Offset, rationale.Printable(d.Problem))
	}
	if done.Previous.Seq == 0 {
		fmt.Fprintln(t.out, "last good   none")
	} else {
		fmt.Fprintf(t.out, "last good   record %d of journal %s\n", done.Previous.Seq, rationale.Printable(done.Previous.Journal))
	}
	fmt.Fprintf(t.out, "new journal %s, whose first record says so\n", done.Journal)
	return exitOK
}
