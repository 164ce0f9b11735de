package celplan

// FrameOf puts an input into the slots of the program's layout.
func (p *Program) FrameOf(in *Input) *Frame { return p.frame(in) }
