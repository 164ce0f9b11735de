package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ambit-go/ambit/guard/ledger"
	"github.com/ambit-go/ambit/guard/ledger/pgledger"
	"github.com/ambit-go/ambit/internal/desk"
	"github.com/ambit-go/ambit/rationale"
	"github.com/ambit-go/ambit/rationale/journal"
)

// deskHelp is what the commands by which people act have in common.
const deskHelp = `
DIR is the folder of a journal (default: the current one). A host that is running is reached
through the socket that it opens there (control.Listen); the journal of one that is
stopped is opened, and so cannot be used by a host meanwhile. You are the OS user that
runs this command, as the authority matrix says under users.local: that of the running
host, or the one that the records of a stopped one hold, or else that of -policy. Of
several in one database that counts which all of them say.

With -postgres URL there is no DIR: the ledger is the one that replicas share in that database.
Whoever may write to it can answer, as the matrix says that its records hold.
`

// deskFlags say how to come to a ledger.
type deskFlags struct {
	policy, postgres *string
	warn             func(text string)
}

func addDeskFlags(f flags) deskFlags {
	return deskFlags{
		f.String("policy", "", "the `FOLDER` of documents with the authority matrix, for records that hold none"),
		f.String("postgres", "", postgresFlag+"; in place of DIR"),
		func(text string) { fmt.Fprintf(f.t.err, "%s: %s\n", f.Name(), rationale.Printable(text)) },
	}
}

// parse returns the arguments, of which a database stands for the folder.
func (df deskFlags) parse(f flags, args []string, want string, least, most int) (rest []string, code int) {
	if rest, code = f.parse(args, want, 0, most); code >= 0 {
		return nil, code
	}
	if *df.postgres != "" {
		rest = append([]string{"-postgres URL"}, rest...)
		want += "; -postgres stands for the folder"
	}
	if len(rest) < least || len(rest) > most {
		return nil, f.misuse("want " + want)
	}
	return rest, -1
}

// at calls f with the desk of whoever runs this process at the journal of a folder,
// or at a shared ledger.
func (df deskFlags) at(ctx context.Context, dir string, f func(desk.Desk) error) error {
	if *df.postgres != "" {
		return df.shared(ctx, f)
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is a file: want the folder that a guard keeps its evidence in", dir)
	}
	switch d, err := desk.Dial(ctx, dir); {
	case err == nil && *df.policy != "":
		return fmt.Errorf("the host in %s knows who you are: leave -policy out", dir)
	case err == nil:
		return f(d)
	case !errors.Is(err, desk.ErrNoHost):
		return err
	}
	if !journal.Exists(dir) {
		return fmt.Errorf("%s: no host answers there, and it holds no journal that you can read: want the folder that a guard keeps its evidence in", dir)
	}
	hosts, who, err := df.who(dir, journal.Read(dir))
	if err != nil {
		return err
	}
	l, err := ledger.Open(dir)
	if errors.Is(err, journal.ErrLocked) {
		return fmt.Errorf("a host has the journal in %s open, and no socket there: have it call control.Listen, or stop it and try again", dir)
	}
	if err != nil {
		return err
	}
	err = f(desk.At(stopped{desk.Over(l), hosts}, who))
	return errors.Join(err, l.Close())
}

// stopped is the ledger of hosts that have ended: what they had loaded is what the
// next are to load.
type stopped struct {
	desk.Ledger
	hosts []host
}

func (s stopped) Documents(context.Context) (all []*rationale.Lifecycle, err error) {
	for _, h := range s.hosts {
		all = append(all, h.loaded...)
	}
	return all, nil
}

// shared calls f with the desk of whoever runs this process at a shared ledger.
func (df deskFlags) shared(ctx context.Context, f func(desk.Desk) error) error {
	within, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	pool, err := pgxpool.New(within, *df.postgres)
	if err != nil {
		return err
	}
	defer pool.Close()
	l, err := pgledger.Open(within, pool)
	if err != nil {
		return err
	}
	_, who, err := df.who("the database", inForce(l.Documents()))
	if err == nil {
		err = f(desk.At(desk.OverShared(l.Memory, l.Now), who))
	}
	return errors.Join(err, l.Close())
}

// desk runs a command at a desk, and reports what failed.
func (t *terminal) desk(f flags, df deskFlags, dir string, act func(ctx context.Context, d desk.Desk) error) int {
	ctx := context.Background()
	err := df.at(ctx, dir, func(d desk.Desk) error { return act(ctx, d) })
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(t.err, "%s: %s\n", f.Name(), oneLine(err))
	switch {
	case errors.Is(err, journal.ErrUncertain):
		fmt.Fprintln(t.err, "It may count or not: look before you do it again.")
	case !judged(err):
		return exitUsage
	}
	return exitFailed
}

// listing is how a command prints what waits at a ledger.
type listing[T any] struct {
	ask  func(desk.Desk, context.Context) ([]T, error)
	line func(T) ([]byte, error) // one as JSON
	show func(all []T, dir string)
}

// command is a command that lists, and takes no more than a folder. Of its formats the first is the default.
func (l listing[T]) command(f flags, args []string, want string, formats ...string) int {
	df, out := addDeskFlags(f), f.output(formats...)
	rest, code := df.parse(f, args, want, 0, 1)
	if code >= 0 {
		return code
	}
	if err := oneOf(*out, formats...); err != nil {
		return f.misuse(err.Error())
	}
	return l.print(f, df, folder(rest), *out)
}

func (l listing[T]) print(f flags, df deskFlags, dir, format string) int {
	return f.t.desk(f, df, dir, func(ctx context.Context, d desk.Desk) error {
		all, err := l.ask(d, ctx)
		if err != nil {
			return err
		}
		if format != "json" {
			l.show(all, dir)
			return nil
		}
		for _, one := range all {
			if err := f.t.jsonLine(l.line(one)); err != nil {
				return err
			}
		}
		return nil
	})
}

// marshal writes a value as JSON as it is.
func marshal[T any](v T) ([]byte, error) { return json.Marshal(v) }

// judged reports whether an error came from the ledger, and not on the way there.
func judged(err error) bool {
	return slices.ContainsFunc([]error{ledger.ErrRefused, ledger.ErrNotHeld, desk.ErrNotPermitted, journal.ErrUncertain}, func(kind error) bool {
		return errors.Is(err, kind)
	})
}

// folder returns the one argument that names a folder, or the current one.
func folder(rest []string) string {
	if len(rest) == 0 {
		return "."
	}
	return rest[0]
}

// jsonLine prints a value, or the error of encoding it.
func (t *terminal) jsonLine(line []byte, err error) error {
	if err == nil {
		fmt.Fprintln(t.out, terminalJSON(line))
	}
	return err
}

// price is an amount with its currency; empty where there is none.
func price(s *rationale.Spend) string {
	if s == nil || s.Amount == "" {
		return ""
	}
	return strings.TrimSpace(s.Amount + " " + s.Currency)
}
