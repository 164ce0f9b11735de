// Package audit joins the event logs of a cloud with the records of a guard, and
// says which acts of the agents' credentials no record explains.
//
// Records prove what passed through the guard. An event log is written by
// somebody else, and holds what did not. [Load] reads an Audit document: whose
// acts, which logs, which records, which events a tool's calls make. [Run] reads
// all of it once, as streams, and gives a [Finding] for each act and for each
// decision that should have had one; docs/audit.md defines them.
//
// # How it works
//
// A log is split into records by brackets or lines alone, so that a damaged one
// costs nobody else; each is read in one strict pass that keeps the few values
// that are asked for. Events and decisions become rows, which are sorted, on disk
// where they are many, and merged: by what makes events one, by the decisions that
// their keys name, and what is left by agent, action, arguments and time. Memory
// does not grow with them.
//
// What logs say was written by strangers. It is bounded and compared exactly,
// never evaluated, and it is up to who shows it to escape it.
package audit
