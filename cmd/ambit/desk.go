package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ambit-go/ambit/authority"
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
host, or the one that the records of a stopped one hold, or else that of -policy.

With -postgres URL there is no DIR: the ledger is the one that replicas share in that database.
Whoever may write to it can answer, as the matrix says that its records hold.
`

// deskFlags say how to come to a ledger.
type deskFlags struct{ policy, postgres *string }

func addDeskFlags(f flags) deskFlags {
	return deskFlags{
		f.String("policy", "", "the `FOLDER` of documents with the authority matrix, for records that hold none"),
		f.String("postgres", "", postgresFlag+"; in place of DIR"),
	}
}

// parse returns the arguments, of which a database stands for the folder.
func (df deskFlags) parse(f flags, args []string, want string, least, most int) (rest []string, code int) {
	if rest, code = f.parse(args, want, 0, most); code >= 0 {
		return nil, code
	}
	if *df.postgres != "" {
		rest = append([]string{"-postgres URL"}, rest...)
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
	who, err := df.who(dir, journal.Read(dir))
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
	err = f(desk.At(desk.Over(l), who))
	return errors.Join(err, l.Close())
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
	conn, err := pool.Acquire(within)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	who, err := df.who("the database", pgledger.Read(ctx, conn.Conn()))
	conn.Release()
	if err == nil {
		err = f(desk.At(desk.OverShared(l.Memory, l.Now), who))
	}
	return errors.Join(err, l.Close())
}

// who returns who runs this process, by the matrix that the records of a stopped
// host hold. Another one may say so only where they hold none: nobody is to bring
// along who they are.
func (df deskFlags) who(dir string, records iter.Seq2[journal.Entry, error]) (authority.User, error) {
	me, err := desk.Me()
	if err != nil {
		return authority.User{}, err
	}
	hosts, err := recordedHosts(dir, records)
	if err != nil && !errors.Is(err, errNoDocuments) {
		return authority.User{}, err
	}
	recorded, err := recordedMatrix(dir, hosts)
	if err != nil {
		return authority.User{}, err
	}
	switch {
	case recorded != nil && *df.policy != "":
		return authority.User{}, fmt.Errorf("-policy is for journals that hold no authority matrix, and the one in %s does", dir)
	case recorded != nil:
		u, err := recorded.LocalUser(me)
		u.Party, u.Audits = recordedParty(hosts, me, u.Audits)
		return u, err
	case *df.policy == "":
		return authority.User{}, fmt.Errorf("the records in %s hold no authority matrix, which would say who the OS user %s is: give one with -policy", dir, me)
	}
	docs, err := authority.ReadDir(*df.policy)
	if err != nil {
		return authority.User{}, err
	}
	set, err := authority.Load(docs, authority.Manifest{}, authority.AllowUnsigned())
	if err != nil {
		return authority.User{}, err
	}
	return set.LocalUser(me)
}

// recordedMatrix returns the authority matrix that the hosts of a journal had
// loaded last; nil: none. The host has checked its signature, and the chain of records
// has its bytes.
func recordedMatrix(dir string, hosts []host) (*authority.Set, error) {
	var found *authority.Set
	var known []byte
	for _, h := range hosts {
		for _, doc := range h.policy.docs {
			set, err := authority.Load([]authority.Document{{Name: doc.Name, Data: doc.Data}}, authority.Manifest{}, authority.AllowUnsigned())
			if err != nil || !set.HasMatrix() {
				continue // a document of another kind
			}
			if found != nil && !bytes.Equal(known, doc.Data) {
				return nil, fmt.Errorf("the records in %s hold several authority matrices, of hosts for different agents: start a host, and answer there", dir)
			}
			found, known = set, doc.Data
		}
	}
	return found, nil
}

// recordedParty returns the authorizations of hosts that are an OS user's own. Where
// they cannot be told, the user audits none.
func recordedParty(hosts []host, me string, audits bool) (party []string, still bool) {
	for _, h := range hosts {
		set, err := authority.Load(h.policy.docs, authority.Manifest{}, authority.AllowUnsigned())
		if err != nil {
			return nil, false
		}
		u, err := set.LocalUser(me)
		if err != nil {
			return nil, false
		}
		party = append(party, u.Party...)
	}
	return party, audits
}

// desk runs a command at a desk, and reports what failed.
func (t *terminal) desk(f flags, df deskFlags, dir string, act func(ctx context.Context, d desk.Desk) error) int {
	ctx := context.Background()
	err := df.at(ctx, dir, func(d desk.Desk) error { return act(ctx, d) })
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(t.err, "%s: %s\n", f.Name(), rationale.Printable(err.Error()))
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
