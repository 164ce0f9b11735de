package authority

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

const (
	apiVersion      = "ambit/v1"
	signatureSuffix = ".dsse.json"
)

// ReadDir returns the documents of a folder, sorted by name: its *.yaml and
// *.yml files, each with the signature in <file>.dsse.json where there is one.
// Names are dir and the file's name, joined. Subfolders and files whose name
// begins with '.' are left out; a symbolic link is the file that it leads to.
// A name that ends as a document's but is no regular file is an error.
func ReadDir(dir string) ([]Document, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var docs []Document
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if ext != ".yaml" && ext != ".yml" || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		doc := Document{Name: filepath.Join(dir, e.Name())}
		if doc.Data, err = readFile(doc.Name, yamldoc.MaxBytes); err != nil {
			return nil, err
		}
		doc.Signature, err = readFile(doc.Name+signatureSuffix, maxSignatureBytes)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// readFile reads a regular file, and one byte more than limit of a larger one,
// so that it is refused later. What it returns without an error is not nil.
func readFile(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// maxErrors is how many errors of one file are reported.
const maxErrors = 100

// reader reads the documents of one folder.
type reader struct {
	trust trust
	docs  documents
	errs  []*Error
	// grants are those that are right by themselves.
	grants   []*grantDoc
	matrices []*yamldoc.File // that are an authority matrix, right or not
	unclear  bool            // a file may be a matrix: nothing can be read of it
	// Ids of documents, right or not.
	authorizations map[string]bool
	priceLists     map[string]bool
}

// readDocuments decodes and validates docs. It returns every error of every
// file; documents with an error are left out, except for a Revocation or
// Suspension that still says what it halts. Where an authority matrix could
// not be read, no Authorization is right, as nothing limits it.
func readDocuments(docs []Document, t trust) (documents, []*Error) {
	docs = slices.Clone(docs)
	slices.SortStableFunc(docs, func(a, b Document) int { return cmp.Compare(a.Name, b.Name) })
	read := make([]*reader, len(docs)) // each of one file
	parallel(len(docs), func(i int) {
		d := &decoder{}
		read[i] = newReader(t)
		read[i].read(d, docs[i])
		read[i].keep(d)
	})
	r := newReader(t)
	for _, one := range read {
		r.add(one)
	}
	r.join()
	return r.docs, sortErrors(r.errs)
}

func newReader(t trust) *reader {
	return &reader{trust: t, authorizations: make(map[string]bool), priceLists: make(map[string]bool)}
}

// add adds what another reader has read.
func (r *reader) add(other *reader) {
	r.errs = append(r.errs, other.errs...)
	r.grants = append(r.grants, other.grants...)
	r.matrices = append(r.matrices, other.matrices...)
	r.unclear = r.unclear || other.unclear
	maps.Copy(r.authorizations, other.authorizations)
	maps.Copy(r.priceLists, other.priceLists)
	if r.docs.Matrix == nil {
		r.docs.Matrix = other.docs.Matrix
	}
	r.docs.PriceLists = append(r.docs.PriceLists, other.docs.PriceLists...)
	r.docs.Reaffirmations = append(r.docs.Reaffirmations, other.docs.Reaffirmations...)
	r.docs.Halts = append(r.docs.Halts, other.docs.Halts...)
}

// keep adds the errors of one file.
func (r *reader) keep(d *decoder) {
	errs := sortErrors(d.errors())
	if more := len(errs) - maxErrors; more > 0 {
		errs = errs[:maxErrors]
		errs[maxErrors-1].Hint = fmt.Sprintf("and %d more errors in this file", more)
	}
	r.errs = append(r.errs, errs...)
}

var kinds = []string{"Authorization", "AuthorityMatrix", "PriceList", "Reaffirmation", "Revocation", "Suspension", "Manifest"}

// read decodes one file and keeps the document if it is right.
func (r *reader) read(d *decoder, doc Document) {
	file, problems := yamldoc.Parse(doc.Name, doc.Data)
	d.Problems = append(d.Problems, problems...)
	root := yamldoc.Named(file.Root(), "the document")
	kind := d.kind(root)
	if kind == "" {
		if k := guessKind(doc.Data); k == "" || k == "AuthorityMatrix" {
			r.unclear = true
		}
		return
	}
	if kind == "Manifest" {
		return // the host's own; see ParseManifest
	}
	root.Name = "the " + kind
	sum := sha256.Sum256(doc.Data)
	src := source{Name: doc.Name, File: file, Digest: "sha256:" + hex.EncodeToString(sum[:]), Data: doc.Data, Signature: doc.Signature}
	signers, err := r.trust.verify(doc.Data, doc.Signature)
	if err != nil {
		d.Fail(root.Node, "sign the document again", "%s%s is not a valid signature: %v", doc.Name, signatureSuffix, err)
	}
	src.Signers, src.Signed = len(signers), len(signers) > 0
	r.document(d, kind, root, src, signers)
}

func (r *reader) document(d *decoder, kind string, root value, src source, signers map[string]bool) {
	switch kind {
	case "Authorization":
		g := d.authorization(root, src)
		d.checkAuthorization(g)
		g.signers = signers
		r.authorizations[g.ID.Value] = true
		if len(d.Problems) == 0 {
			r.grants = append(r.grants, g)
		}
	case "AuthorityMatrix":
		r.matrices = append(r.matrices, src.File)
		m := d.matrix(root, src)
		r.requireSigned(d, root, src)
		if len(d.Problems) == 0 && r.docs.Matrix == nil {
			r.docs.Matrix = m
		}
	case "PriceList":
		p := d.priceList(root, src)
		r.requireSigned(d, root, src)
		r.priceLists[p.ID.Value] = true
		if len(d.Problems) == 0 {
			r.docs.PriceLists = append(r.docs.PriceLists, p)
		}
	case "Reaffirmation":
		f := d.reaffirmation(root, src)
		f.signers = signers
		r.requireSigned(d, root, src)
		if len(d.Problems) == 0 {
			r.docs.Reaffirmations = append(r.docs.Reaffirmations, f)
		}
	default:
		h := d.halt(root, src, kind == "Revocation")
		if h.Authorization != "" || h.Agent != "" {
			r.docs.Halts = append(r.docs.Halts, h)
		}
	}
}

// requireSigned refuses an unsigned document that widens what others may do.
// An invalid signature is reported already.
func (r *reader) requireSigned(d *decoder, root value, src source) {
	switch {
	case src.Signed || r.trust.allowUnsigned:
	case src.Signature == nil:
		d.Fail(root.Node, "sign it with a key that the host trusts", "%s is not signed", root.Name)
	case len(r.trust.keys) == 0:
		d.Fail(root.Node, "", "%s is signed, and the host trusts no key", root.Name)
	}
}

// kind reads what every document begins with; empty where it is none.
func (d *decoder) kind(root value) string {
	if root.IsZero() {
		return ""
	}
	if root.Kind() != yamldoc.Mapping {
		d.Fail(root.Node, "it begins with apiVersion and kind", "the document is %s, not a mapping", root.Describe())
		return ""
	}
	version, has := find(root.Node, "apiVersion")
	if !has {
		d.Fail(root.Node, "apiVersion: "+apiVersion, "the document has no \"apiVersion\"")
	} else {
		d.OneOf(yamldoc.Named(version, "apiVersion"), apiVersion)
	}
	kind, has := find(root.Node, "kind")
	if !has {
		d.Fail(root.Node, "want "+yamldoc.OrList(kinds), "the document has no \"kind\"")
		return ""
	}
	return d.OneOf(yamldoc.Named(kind, "kind"), kinds...)
}

var kindLine = regexp.MustCompile(`(?m)(?:^|[{,\s])["']?kind["']?\s*:\s*["']?([A-Za-z]+)`)

// guessKind returns the kind that a file seems to have whose structure cannot
// be read; empty where it names none, or none that there is.
func guessKind(data []byte) string {
	m := kindLine.FindAllSubmatch(data[:min(len(data), yamldoc.MaxBytes)], -1)
	if len(m) != 1 || !slices.Contains(kinds, string(m[0][1])) {
		return ""
	}
	return string(m[0][1])
}
