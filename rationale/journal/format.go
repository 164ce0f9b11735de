package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"time"

	"github.com/ambit-go/ambit/rationale"
)

// A segment is a header and a row of frames. Numbers are little-endian.
//
//	header   0 magic "AMBITSEG"      frame   0 magic "AFRM"
//	         8 format version (4)            4 length of the payload (4)
//	        12 flags (4)                     8 lines in it (4)
//	        16 journal id, a UUID (16)      12 CRC32C of the payload (4)
//	        32 segment number (8)           16 offset of this frame in the file (8)
//	        40 seq of the first line (8)    24 seq of its first line (8)
//	        48 SHA-256 of the line          32 bytes of the file that were durable
//	           before it, or zeros (32)        before this frame was written (8)
//	        80 Unix time in ns (8)          40 CRC32C of journal id, segment number
//	        88 number of the oldest            and bytes 0 to 40 (4)
//	           segment that must exist (8)  44 payload: lines, each with its newline
//	        96 length of the opening (4)
//	       100 CRC32C of bytes 0 to 100
//
// The opening is what is written and fsynced together with the header: lines of
// the segment before that are not known to be durable there, and a snapshot. A
// last segment whose opening is not whole was never used.
//
// The offset and the seeded checksum tie a frame to its place: one that was copied
// from elsewhere, or that an older file left on the disk, is none.
const (
	segmentMagic  = "AMBITSEG"
	frameMagic    = "AFRM"
	formatVersion = 1

	headerSize      = 104
	frameHeaderSize = 44

	// maxPayload bounds a frame. More than that in one append is an error.
	maxPayload = 64 << 20
)

// The flags of a segment.
const (
	flagSnapshot = 1 << iota // its opening holds a snapshot
	flagTorn                 // what the segment before holds beyond the line before this segment's first does not count
	flagNew                  // a journal begins here, after a repair of the one before
	knownFlags   = flagSnapshot | flagTorn | flagNew
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is the head of a segment.
type header struct {
	Flags   uint32
	Journal string // UUID
	Number  uint64
	First   uint64 // seq of the first line
	Prev    string // digest of the line before it; empty: there is none
	Time    time.Time
	Oldest  uint64 // number of the oldest segment that was not retired
	Opening uint32 // bytes of frames that were written together with the header
}

func (h header) has(flag uint32) bool { return h.Flags&flag != 0 }

// before is the end of the chain before the segment.
func (h header) before() rationale.Head {
	return rationale.Head{Journal: h.Journal, Seq: h.First - 1, Hash: h.Prev}
}

func (h header) encode() ([]byte, error) {
	b := make([]byte, headerSize)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint32(b[8:], formatVersion)
	binary.LittleEndian.PutUint32(b[12:], h.Flags)
	id, err := uuidBytes(h.Journal)
	if err != nil {
		return nil, err
	}
	copy(b[16:], id)
	binary.LittleEndian.PutUint64(b[32:], h.Number)
	binary.LittleEndian.PutUint64(b[40:], h.First)
	if h.Prev != "" {
		sum, err := hex.DecodeString(strings.TrimPrefix(h.Prev, digestPrefix))
		if err != nil || len(sum) != 32 {
			return nil, fmt.Errorf("%q is no digest", h.Prev)
		}
		copy(b[48:], sum)
	}
	binary.LittleEndian.PutUint64(b[80:], uint64(h.Time.UnixNano()))
	binary.LittleEndian.PutUint64(b[88:], h.Oldest)
	binary.LittleEndian.PutUint32(b[96:], h.Opening)
	binary.LittleEndian.PutUint32(b[100:], crc32.Checksum(b[:100], castagnoli))
	return b, nil
}

const digestPrefix = "sha256:"

var errHeader = errors.New("the segment's header is damaged")

// decodeHeader reads the first bytes of a segment.
func decodeHeader(b []byte) (header, error) {
	if len(b) < headerSize || string(b[:8]) != segmentMagic ||
		crc32.Checksum(b[:100], castagnoli) != binary.LittleEndian.Uint32(b[100:]) {
		return header{}, errHeader
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != formatVersion {
		return header{}, fmt.Errorf("the segment has format %d, and this version reads %d", v, formatVersion)
	}
	h := header{
		Flags:   binary.LittleEndian.Uint32(b[12:]),
		Journal: uuidText(b[16:32]),
		Number:  binary.LittleEndian.Uint64(b[32:]),
		First:   binary.LittleEndian.Uint64(b[40:]),
		Time:    time.Unix(0, int64(binary.LittleEndian.Uint64(b[80:]))).UTC(),
		Oldest:  binary.LittleEndian.Uint64(b[88:]),
		Opening: binary.LittleEndian.Uint32(b[96:]),
	}
	if h.Flags&^knownFlags != 0 || h.First == 0 {
		return header{}, fmt.Errorf("the segment's header has values that this version does not know")
	}
	if sum := b[48:80]; !bytes.Equal(sum, make([]byte, 32)) {
		h.Prev = digestPrefix + hex.EncodeToString(sum)
	}
	return h, nil
}

func uuidBytes(id string) ([]byte, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(b) != 16 || uuidText(b) != id {
		return nil, fmt.Errorf("%q is no id of a journal", id)
	}
	return b, nil
}

func uuidText(b []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// frame is one group commit.
type frame struct {
	Offset  int64
	First   uint64 // seq of the first line
	Lines   uint32
	Durable int64 // bytes of the file that were durable before
	Payload []byte
}

// end is the offset behind the frame.
func (f frame) end() int64 { return f.Offset + frameHeaderSize + int64(len(f.Payload)) }

// seed ties checksums to one segment of one journal.
func (h header) seed() uint32 {
	var b [24]byte
	id, _ := uuidBytes(h.Journal) // a header that was decoded or encoded has one
	copy(b[:], id)
	binary.LittleEndian.PutUint64(b[16:], h.Number)
	return crc32.Checksum(b[:], castagnoli)
}

// append writes the frame behind dst.
func (f frame) append(dst []byte, seed uint32) ([]byte, error) {
	if len(f.Payload) == 0 || len(f.Payload) > maxPayload {
		return nil, fmt.Errorf("%d bytes are too many for one append: at most %d", len(f.Payload), maxPayload)
	}
	var b [frameHeaderSize]byte
	copy(b[:], frameMagic)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(f.Payload)))
	binary.LittleEndian.PutUint32(b[8:], f.Lines)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(f.Payload, castagnoli))
	binary.LittleEndian.PutUint64(b[16:], uint64(f.Offset))
	binary.LittleEndian.PutUint64(b[24:], f.First)
	binary.LittleEndian.PutUint64(b[32:], uint64(f.Durable))
	binary.LittleEndian.PutUint32(b[40:], crc32.Update(seed, castagnoli, b[:40]))
	return append(append(dst, b[:]...), f.Payload...), nil
}

// frameFault says why there is no valid frame at a place.
type frameFault string

const (
	noFault      frameFault = ""
	shortHeader  frameFault = "fewer bytes than a frame's header"
	badHeader    frameFault = "the frame's header is damaged"
	shortPayload frameFault = "the frame is cut short"
	badPayload   frameFault = "the frame's payload is damaged"
)

// decodeFrame reads the frame at the start of b, which lies at an offset of the
// file and reaches to its end. The payload shares memory with b.
func decodeFrame(b []byte, offset int64, seed uint32) (frame, frameFault) {
	h, fault := decodeFrameHeader(b, offset, seed)
	switch {
	case fault != noFault:
		return frame{}, fault
	case uint64(len(b)-frameHeaderSize) < uint64(h.size):
		return frame{}, shortPayload
	}
	return h.with(b[frameHeaderSize : frameHeaderSize+int(h.size)])
}

// frameHeader is what stands before a payload.
type frameHeader struct {
	frame
	size, sum uint32 // of the payload
}

func decodeFrameHeader(b []byte, offset int64, seed uint32) (frameHeader, frameFault) {
	if len(b) < frameHeaderSize {
		return frameHeader{}, shortHeader
	}
	if string(b[:4]) != frameMagic || crc32.Update(seed, castagnoli, b[:40]) != binary.LittleEndian.Uint32(b[40:]) {
		return frameHeader{}, badHeader
	}
	size := binary.LittleEndian.Uint32(b[4:])
	at, durable := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[32:])
	if at != uint64(offset) || size == 0 || durable > math.MaxInt64 {
		return frameHeader{}, badHeader
	}
	f := frame{Offset: offset, Lines: binary.LittleEndian.Uint32(b[8:]), First: binary.LittleEndian.Uint64(b[24:]), Durable: int64(durable)}
	return frameHeader{f, size, binary.LittleEndian.Uint32(b[12:])}, noFault
}

// with returns the frame with its payload.
func (h frameHeader) with(payload []byte) (frame, frameFault) {
	if crc32.Checksum(payload, castagnoli) != h.sum {
		return frame{}, badPayload
	}
	h.frame.Payload = payload
	return h.frame, noFault
}

// sector is the least that a disk writes at once.
const sector = 512

// torn reports whether the rest of a file, from an offset on, is what a crash
// leaves of frames that were being written: short, or with a whole sector still
// zero. Canonical lines hold no zero byte, so a sector of a frame that was written
// is never all zero. A valid frame behind it is only there where several were
// written without a sync, and the disk took a later one first; one that says that
// bytes from the offset on were durable before it means that they were damaged
// afterwards.
func torn(rest []byte, offset int64, seed uint32) bool {
	for begin := offset; ; {
		next, found := nextFrame(rest, offset, seed)
		gap := rest
		if found {
			gap = rest[:next-offset]
		}
		_, fault := decodeFrame(rest, offset, seed)
		short := !found && (fault == shortHeader || fault == shortPayload)
		if !short && !hasZeroSector(gap, offset) {
			return false
		}
		if !found {
			return true
		}
		for rest, offset = rest[next-offset:], next; len(rest) > 0; {
			f, fault := decodeFrame(rest, offset, seed)
			if fault != noFault {
				break
			}
			if f.Durable > begin {
				return false
			}
			rest, offset = rest[f.end()-offset:], f.end()
		}
		if len(rest) == 0 {
			return true
		}
	}
}

// hasZeroSector reports whether the part of some sector that lies in b is zero.
func hasZeroSector(b []byte, offset int64) bool {
	for len(b) > 0 {
		n := min(int64(len(b)), sector-offset%sector)
		if len(bytes.TrimLeft(b[:n], "\x00")) == 0 {
			return true
		}
		b, offset = b[n:], offset+n
	}
	return false
}

// nextFrame finds the first valid frame that starts behind the first byte of b,
// which lies at an offset of the file.
func nextFrame(b []byte, offset int64, seed uint32) (int64, bool) {
	for i := 1; ; i++ {
		next := bytes.Index(b[min(i, len(b)):], []byte(frameMagic))
		if next < 0 {
			return 0, false
		}
		i += next
		if _, fault := decodeFrame(b[i:], offset+int64(i), seed); fault == noFault {
			return offset + int64(i), true
		}
	}
}
