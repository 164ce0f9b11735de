package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ambit-go/ambit/authority"
	"github.com/ambit-go/ambit/rationale"
)

// policy is a folder of documents and the manifest that they are checked
// against.
type policy struct {
	docs     []authority.Document
	manifest authority.Manifest
	checked  bool // a manifest was given
	strict   bool // the host that was read requires signatures

	past []*rationale.Lifecycle // what the host that was read keeps to, whatever it has loaded since
}

// noManifest says what is unknown without one, and how to come by it.
const noManifest = "there is no manifest, so no tool and no fact is known. Have the host write what guard.Guard.Manifest returns to manifest.yaml (authority.Manifest.YAML), and give that with -manifest FILE."

// policyFlags are the flags of the commands that read documents.
type policyFlags struct {
	manifest *string
	signed   *bool
	keys     *[]ed25519.PublicKey
	at       *string
}

func addPolicyFlags(f flags) policyFlags {
	keys := new([]ed25519.PublicKey)
	f.Func("key", "an Ed25519 public key that the host trusts, raw in `BASE64`; may be given again; implies -signed", func(text string) error {
		key, err := publicKey(text)
		*keys = append(*keys, key)
		return err
	})
	return policyFlags{
		keys:     keys,
		manifest: f.String("manifest", "", "manifest `FILE` of the host, as it writes it (default: DIR/manifest.yaml if there is one)"),
		signed:   f.Bool("signed", false, "unsigned documents are not in force (hosts require signatures unless they say otherwise)"),
		at:       f.String("at", "", "the `TIME` to look at, RFC 3339 (default: now)"),
	}
}

func (p policyFlags) time() (time.Time, error) {
	if *p.at == "" {
		return time.Now().UTC(), nil
	}
	at, err := time.Parse(time.RFC3339Nano, *p.at)
	if err != nil {
		return time.Time{}, fmt.Errorf("-at %s: want a time such as 2026-11-02T09:30:00Z", *p.at)
	}
	return at.UTC(), nil
}

// read loads the documents of a folder and the manifest.
func (p policyFlags) read(dir string) (policy, error) {
	var read policy
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return policy{}, fmt.Errorf("%s is a file: want the folder that holds the documents", dir)
	}
	if read.docs, err = authority.ReadDir(dir); err != nil {
		return policy{}, err
	}
	if len(read.docs) == 0 {
		return policy{}, fmt.Errorf("%s holds no documents: want *.yaml files with kind: Authorization", dir)
	}
	name := *p.manifest
	if name == "" {
		name = filepath.Join(dir, "manifest.yaml")
		if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
			return read, nil
		}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return policy{}, err
	}
	read.manifest, err = authority.ParseManifest(name, data)
	read.checked = err == nil
	return read, err
}

func (p policyFlags) load(read policy) (*authority.Set, error) {
	var opts []authority.Option
	opts = append(opts, authority.TrustKeys(*p.keys...))
	if !*p.signed && !read.strict && len(*p.keys) == 0 {
		opts = append(opts, authority.AllowUnsigned())
	}
	return authority.Load(read.docs, read.manifest, append(opts, authority.WithPast(read.past...))...)
}

// replace loads read in place of the documents of a folder, as a host that
// reloads does; by itself where there is no such folder.
func (p policyFlags) replace(before string, read policy) (*authority.Set, error) {
	if before == "" {
		return p.load(read)
	}
	docs, err := authority.ReadDir(before)
	if err != nil {
		return nil, err
	}
	set, err := p.load(policy{docs: docs, manifest: read.manifest, strict: read.strict})
	if err != nil {
		return nil, err
	}
	next, err := set.Reload(read.docs)
	if err != nil {
		return nil, err
	}
	return next, nil
}
