package journal

// Reframe writes the checksums of a segment anew, as somebody would who edits it.
func Reframe(data []byte) []byte {
	h, err := decodeHeader(data)
	if err != nil {
		panic(err)
	}
	out := append([]byte(nil), data[:headerSize]...)
	for rest := data[headerSize:]; len(rest) > 0; {
		size := int(rest[4]) | int(rest[5])<<8 | int(rest[6])<<16
		f := frame{
			Offset: int64(len(out)), Lines: uint32(rest[8]), First: uint64(rest[24]) | uint64(rest[25])<<8,
			Durable: int64(rest[32]) | int64(rest[33])<<8, Payload: rest[frameHeaderSize : frameHeaderSize+size],
		}
		if out, err = f.append(out, h.seed()); err != nil {
			panic(err)
		}
		rest = rest[frameHeaderSize+size:]
	}
	return out
}

// ClaimOldest writes the header of a segment anew, as somebody would who removes
// the segments before a number.
func ClaimOldest(data []byte, oldest uint64) []byte {
	return rehead(data, func(h *header) { h.Oldest = oldest })
}

// ClaimSnapshot writes the header of a segment anew, as one that holds a snapshot.
func ClaimSnapshot(data []byte) []byte {
	return rehead(data, func(h *header) { h.Flags |= flagSnapshot })
}

func rehead(data []byte, change func(*header)) []byte {
	h, err := decodeHeader(data)
	if err != nil {
		panic(err)
	}
	change(&h)
	b, err := h.encode()
	if err != nil {
		panic(err)
	}
	return append(b, data[headerSize:]...)
}
