package main

// control breaks what keeps a running host from whoever is nobody, and people from
// what an agent says.
func control() []mutant {
	const (
		socket = "internal/desk/socket_linux.go"
		peers  = "internal/desk/socket.go"
		local  = "internal/desk/local.go"
		serve  = "internal/desk/handler.go"
		listen = "guard/ledger/control/control.go"
		desk   = "./internal/desk"
		host   = "./guard/ledger/control"
		ambit  = "./cmd/ambit"
	)
	return []mutant{
		{
			File: "authority/user.go", Package: "./authority", Run: "^TestLocalUser$",
			Old: "\tif !ok {\n", New: "\tif !ok && name != \"root\" {\n",
			Why: "root is somebody without being listed",
		},
		{
			File: "authority/user.go", Package: "./authority", Run: "^TestNobodySettlesByDefault$",
			Old: "Settles: p.Among(m.SettledBy)", New: "Settles: m.SettledBy == nil || p.Among(m.SettledBy)",
			Why: "where nobody is named, everybody settles",
		},
		{
			File: "authority/decode_matrix.go", Package: "./authority", Run: "^TestLocalUser$",
			Old: `u.ID = d.id(f.Need("id", "id: as owners and approvers are named in the documents")).Value`,
			New: `_ = f.Need("id", "id: as owners and approvers are named in the documents")`,
			Why: "an OS user is nobody whom a document names, such as the owner",
		},
		{
			File: serve, Package: host, Run: "^TestNobodyIsAsked$",
			Old: "\tif err != nil {\n\t\treply(w, http.StatusForbidden", New: "\tif err != nil && r.Method != http.MethodGet {\n\t\treply(w, http.StatusForbidden",
			Why: "who is nobody may look",
		},
		{
			File: serve, Package: host, Run: "^TestRequestsThatAreNone$",
			Old: "http.MaxBytesReader(w, r.Body, maxRequest)", New: "http.MaxBytesReader(w, r.Body, 1<<30)",
			Why: "a request of any size is read",
		},
		{
			File: serve, Package: host, Run: "^TestRequestsThatAreNone$",
			Old: "json.RejectUnknownMembers(true)", New: "json.RejectUnknownMembers(false)",
			Why: "what a request says beside the operation is passed over",
		},
		{
			File: listen, Package: host, Run: "^TestListenNeedsAJournal$",
			Old: "if err := j.Healthy(); err != nil {", New: "if err := j.Healthy(); err != nil && j.ID() == \"\" {",
			Why: "who holds no lock takes over the socket",
		},
		{
			File: socket, Package: desk, Run: "^TestOnlyTheFoldersOwnerIsAHost$",
			Old: "if owner := folder.Sys().(*syscall.Stat_t).Uid; uid != owner {", New: "if owner := folder.Sys().(*syscall.Stat_t).Uid; uid != owner && owner == overflowUID {",
			Why: "whoever listens is taken for the host",
		},
		{
			File: socket, Package: host, Run: "^TestTheFolderDecidesWhoConnects$",
			Old: "case info.Mode().Perm()&0o022 != 0:", New: "case info.Mode().Perm()&0o002 != 0:",
			Why: "a group may put another socket into the folder",
		},
		{
			File: socket, Package: host, Run: "^TestWhatIsInTheWay$",
			Old: "gone == nil && os.SameFile(there, s.file)", New: "gone == nil && there != nil",
			Why: "a host that ends removes the socket of the next",
		},
		{
			File: socket, Package: host, Run: "^TestLongPaths$",
			Old: "if len(path) <= maxAddress {", New: "if len(path) <= 4*maxAddress {",
			Why: "a journal with a long path cannot be reached",
		},
		{
			File: socket, Package: desk, Run: "^TestPeers$",
			Old: "if uid == overflowUID {", New: "if uid == overflowUID+1 {",
			Why: "users of another namespace are whoever is called nobody",
		},
		{
			File: peers, Package: desk, Run: "^TestConnectionsAreCountedByUser$",
			Old: "if p.count[uid] >= maxPerUser {", New: "if p.count[uid] > maxPerUser {",
			Why: "one user may have more connections than there are",
		},
		{
			File: local, Package: ambit, Run: "^TestSealedTickets$",
			Old: "hidden.Sealed = &rationale.Sealed{Key: t.Decision.Sealed.Key}", New: "hidden.Sealed = t.Decision.Sealed",
			Why: "what is sealed leaves the host, and outlives its key elsewhere",
		},
		{
			File: local, Package: ambit, Run: "^TestSealedTickets$",
			Old: "if t.Pending.Answer(d.approval(rationale.AnswerDeny), now) != nil {", New: "if t.Pending.Answer(d.approval(rationale.AnswerDeny), now) == nil {",
			Why: "a person's data is shown to those who cannot answer",
		},
		{
			File: local, Package: ambit, Run: "^TestScripts$/^budget$",
			Old: "rationale.SamePerson(d.who.ID, h.Agent), rationale.SamePerson(d.who.ID, h.OnBehalfOf):", New: "rationale.SamePerson(d.who.ID, h.Agent):",
			Why: "who asked for a call says that it cost nothing",
		},
		{
			File: local, Package: ambit, Run: "^TestScripts$/^budget$",
			Old: "case rationale.SamePerson(d.who.ID, h.Owner):", New: "case rationale.SamePerson(d.who.ID, h.Decision):",
			Why: "the owner says that nothing was spent",
		},
		{
			File: local, Package: host, Run: "^TestAPersonAtTheSocket$",
			Old: "if !d.who.Settles {", New: "if !d.who.Settles && !d.who.Resumes {",
			Why: "who may resume also settles",
		},
		{
			File: local, Package: host, Run: "^TestAPersonAtTheSocket$",
			Old: "if !d.who.Resumes {", New: "if !d.who.Resumes && d.who.Settles {",
			Why: "everybody ends a suspension",
		},
		{
			File: "cmd/ambit/who.go", Package: ambit, Run: "^TestScripts$/^approvals$",
			Old: "case len(recorded) > 0 && *df.policy != \"\":", New: "case len(recorded) > 0 && *df.policy == dir:",
			Why: "people bring along a matrix that says who they are",
		},
		{
			File: "cmd/ambit/fold.go", Package: ambit, Run: "^TestNoTicketFakesADialog$",
			Old: "if r != '\\n' && column+width > foldWidth {", New: "if r != '\\n' && column+width > 40*foldWidth {",
			Why: "a terminal breaks an agent's text into lines of its own",
		},
		{
			File: "cmd/ambit/explain.go", Package: ambit, Run: "^TestNoTicketFakesADialog$",
			Old: "claimMark, label, rationale.Printable(text))", New: "claimMark, label, text)",
			Why: "what an agent claims moves the cursor",
		},
		{
			File: "guard/ledger/settle.go", Package: "./guard/ledger", Run: "^TestWhatPeopleSeeOfBudgets$",
			Old: "counts = a.open // the window is over", New: "counts = used // the window is over",
			Why: "nothing is left of a window that is over",
		},
		{
			File: "guard/ledger/budgets_state.go", Package: "./guard/ledger", Run: "^TestWhatPeopleSeeOfBudgets$",
			Old: "Held: r.held, Call: r.call}", New: "Held: r.held}",
			Why: "after a restart nobody knows whose a held call is",
		},
	}
}
