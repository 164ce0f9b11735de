package main

import (
	"bytes"
	_ "embed"
	"os"
	"path/filepath"
	"time"

	"github.com/ambit-go/ambit/examples/autoscaler/internal/fleet"
	"github.com/ambit-go/ambit/examples/autoscaler/internal/trail"
)

//go:embed audit.yaml
var auditDocument []byte

// auditFile is the Audit document beside the records.
func (o options) auditFile() string { return filepath.Join(o.evidence, "audit.yaml") }

// leaveTrail writes the cloud's own log of the run to the folder events, and the
// document by which it is audited. It returns the files of the log.
func leaveTrail(o options, f *fleet.Fleet) ([]string, error) {
	log := f.Log()
	files, err := trail.Write(filepath.Join(o.evidence, "events"), log)
	if err != nil {
		return nil, err
	}
	last := morning
	for _, a := range log {
		if a.Decision != "" {
			last = a.At
		}
	}
	// The morning is audited while what was done last may still be on its way.
	collected := last.Truncate(trail.Period).Add(2 * trail.Period)
	document := append(bytes.Clone(auditDocument), "until: "+collected.Format(time.RFC3339)+" # when the log was collected\n"...)
	return files, os.WriteFile(o.auditFile(), document, 0o600)
}
