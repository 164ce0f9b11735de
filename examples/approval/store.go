package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// store keeps checkpoints in a folder, so that a run outlives its process. It is eino's
// adk.CheckPointStore.
type store struct{ dir string }

func (s store) path(id string) string { return filepath.Join(s.dir, id+".checkpoint") }

func (s store) Get(_ context.Context, id string) ([]byte, bool, error) {
	data, err := os.ReadFile(s.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return data, err == nil, err
}

func (s store) Set(_ context.Context, id string, checkpoint []byte) error {
	return replace(s.path(id), checkpoint)
}

// waiting is the call that the conversation waits for.
type waiting struct {
	Interrupt string `json:"interrupt"` // where to resume
	Ticket    string `json:"ticket"`    // that people answer
}

func (s store) waitingPath() string { return filepath.Join(s.dir, "waiting.json") }

// load returns what an earlier process waited for; the zero waiting: nothing.
func (s store) load() (waiting, error) {
	var w waiting
	data, err := os.ReadFile(s.waitingPath())
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err != nil {
		return w, err
	}
	err = json.Unmarshal(data, &w)
	return w, err
}

func (s store) keep(w waiting) error {
	data, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return replace(s.waitingPath(), data)
}

func (s store) forget() error { return os.Remove(s.waitingPath()) }

// replace puts content in the place of a file, all of it or nothing.
func replace(name string, content []byte) error {
	partial := name + ".partial"
	if err := os.WriteFile(partial, content, 0o600); err != nil {
		return err
	}
	return os.Rename(partial, name)
}
