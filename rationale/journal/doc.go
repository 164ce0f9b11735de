// Package journal keeps records in a folder, crash-safe and tamper-evident.
//
// One folder is one journal, with an id that continues over restarts. Its files
// are segments, 00000001.seg and so on, each a checksummed header and a row of
// frames; a frame holds the canonical lines of one group commit, which form the
// hash chain of package rationale, so that the lines alone can be verified by
// other means. A file is only ever appended to: it is never rewritten, truncated
// or reused.
//
// # What an append promises
//
// [Journal.Append] returns nil only after the records, in one frame with those of
// everybody who waited at the same time, were written and fsynced in a segment
// that is still in its place. They survive the end of the process and of the
// machine, on a disk that honours fsync. [Journal.Write] does not wait for fsync:
// what it acknowledged survives the process, and after a power failure the last
// of it can be missing.
//
// Both return when their context is done, also while a disk hangs, but for one
// write of Write at a time, which its caller makes by itself.
//
// After a write or an fsync that failed nothing is written to that file again:
// what the kernel then still knows of it is not known. The journal goes on in a
// fresh segment, with what was not acknowledged appended again; where that fails
// too, every append fails, until a later one finds that a fresh segment can be
// written. A segment that was removed or replaced, or that somebody else cut or
// wrote to, a folder that was moved and a lock that was lost are not recovered from:
// every further append fails.
//
// # What opening does
//
// A short or zeroed piece at the very end of the last segment, with no frame behind
// it that was written after a sync of it, is the torn end of a write that nobody acknowledged
// as durable: it stays where it is, is passed over, and the record of the opening
// says so. The sectors that a crash leaves unwritten are taken to be at least 512
// bytes wide and zero. Everything else that does not read back as it was written is a *[DamageError], which says
// where and what to do, and the journal does not open; [Repair] sets the damaged file aside.
//
// # Who reads on
//
// [Journal.After] and [Journal.Wait] serve whoever reads records as they come. A
// [Follower] keeps its place beside the journal as well, so that it goes on there
// after a restart, and retention waits for it.
//
// # Where a journal must not lie
//
// The folder is locked with flock(2) on the file LOCK, against other processes
// and other journals of this one. On NFS before Linux 2.6.12, with the mount options nolock or
// local_lock=flock, and on some FUSE file systems, that lock holds on one machine
// only: two hosts could then write one folder. They would not overwrite each
// other's segments, which are created exclusively, but the chain would fork, the one
// that comes second would fail, and verification would show it. fsync on such mounts may also promise
// less. Keep a journal on a local disk. Systems without flock (Windows, Plan 9, Solaris)
// can read journals and cannot open them for writing.
//
// Records are written as they come: what a guard did not seal is not encrypted. The
// folder is private to its owner.
package journal
