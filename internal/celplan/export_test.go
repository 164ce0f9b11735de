package celplan

// frame puts an input into the slots of the program's layout.
func (p *Program) frame(in *Input) *Frame {
	if p == nil || p.env == nil || in == nil {
		return nil
	}
	f := new(Frame)
	f.Begin(p.env.layout)
	f.Load(in)
	return f
}

// EvalBool is [Program.Bool] on an input.
func (p *Program) EvalBool(in *Input) (bool, error) { return p.Bool(p.frame(in)) }

// EvalInt is [Program.Int] on an input.
func (p *Program) EvalInt(in *Input) (int64, error) { return p.Int(p.frame(in)) }

// Inputs is [Program.Readings] on an input.
func (p *Program) Inputs(in *Input) []Reading { return p.Readings(p.frame(in)) }
