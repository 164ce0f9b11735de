package celplan_test

// choices are the bytes that decide what a generator makes, so that a fuzzing
// engine that changes a byte changes one decision. After the last byte every
// decision is 0, which is the simplest everywhere.
type choices struct{ data []byte }

// n decides for one of limit possibilities, at most 256.
func (c *choices) n(limit int) int {
	if len(c.data) == 0 {
		return 0
	}
	b := int(c.data[0])
	c.data = c.data[1:]
	return b % limit
}

// one in so many decisions is true.
func (c *choices) oneIn(n int) bool { return c.n(n) == n-1 }

func pick[T any](c *choices, options []T) T { return options[c.n(len(options))] }
