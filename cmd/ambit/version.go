package main

import (
	"fmt"
	"runtime/debug"
)

const versionHelp = `
Usage: ambit version

Prints the version of this command, the commit where the build knows it, and the version of
Go. Use the one that the host has as its library: what a newer host refuses passes here.
`

func version(t *terminal, args []string) int {
	f := newFlags(t, "version", versionHelp)
	if _, code := f.parse(args, "no arguments", 0, 0); code >= 0 {
		return code
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		fmt.Fprintln(t.err, "ambit version: this binary was built without modules, and does not know")
		return exitFailed
	}
	commit := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = " " + s.Value + commit
		case s.Key == "vcs.modified" && s.Value == "true":
			commit += " (modified)"
		}
	}
	fmt.Fprintf(t.out, "ambit %s%s %s\n", info.Main.Version, commit, info.GoVersion)
	return exitOK
}
