package otelx

import (
	"sync"

	"go.opentelemetry.io/otel/trace"
)

// scratch is where the attributes and links of one span are collected. What
// keeps them gets a copy.
type scratch struct {
	attributes attributes
	links      links
	options    []trace.SpanStartOption
}

var scratches = sync.Pool{New: func() any {
	return &scratch{
		attributes: make(attributes, 0, 64), links: make(links, 0, 2), options: make([]trace.SpanStartOption, 0, 3),
	}
}}

// newScratch returns an empty scratch, for [scratch.release].
func newScratch() *scratch { return scratches.Get().(*scratch) }

// release gives the scratch back. Nothing may refer any more to what was
// collected; it stays until the next span takes its place.
func (s *scratch) release() {
	s.attributes, s.links, s.options = s.attributes[:0], s.links[:0], s.options[:0]
	scratches.Put(s)
}
