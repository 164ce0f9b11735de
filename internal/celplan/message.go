package celplan

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

func (e *CompileError) sorted() *CompileError {
	slices.SortStableFunc(e.Issues, func(a, b Issue) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Message, b.Message))
	})
	e.Issues = slices.Compact(e.Issues)
	return e
}

// explain turns cel-go's issues into ours. parsed is nil when the source does
// not parse.
func (e *Env) explain(src string, parsed *ast.AST, issues *cel.Issues) *CompileError {
	out := &CompileError{}
	for _, issue := range issues.Errors() {
		message, name := e.message(parsed, issue.ExprID, issue.Message)
		at := Issue{Line: max(issue.Location.Line(), 1), Column: max(issue.Location.Column()+1, 1), Message: message}
		if name != "" {
			at.Column = nameColumn(src, at, name)
		}
		out.Issues = append(out.Issues, at)
	}
	if len(out.Issues) == 0 {
		return refuse(1, 1, "the expression cannot be compiled")
	}
	return out.sorted()
}

// nameColumn moves an issue from the sign beside a name, where cel-go puts a
// selection, a call and a test, to the name.
func nameColumn(src string, at Issue, name string) int {
	lines := strings.Split(src, "\n")
	if at.Line > len(lines) {
		return at.Column
	}
	line, sign := []rune(lines[at.Line-1]), at.Column-1
	if sign >= len(line) {
		return at.Column
	}
	switch start := sign - utf8.RuneCountInString(name); {
	case line[sign] == '.' && strings.HasPrefix(string(line[sign+1:]), name):
		return at.Column + 1
	case line[sign] == '(' && start >= 0 && string(line[start:sign]) == name:
		return start + 1
	case line[sign] == '(': // of has(args.name)
		if before, _, ok := strings.Cut(string(line[sign:]), "."+name); ok {
			return sign + utf8.RuneCountInString(before) + 2
		}
	}
	return at.Column
}

var (
	undefinedField = regexp.MustCompile(`^undefined field '(.*)'$`)
	undeclared     = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	noOverload     = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'$`)
	noSelection    = regexp.MustCompile(`^type '(.*)' does not support field selection$`)
	unexpected     = regexp.MustCompile(`(?s)^Syntax error: (?:mismatched input|extraneous input|no viable alternative at input|token recognition error at:) '(.*?)'(?: expecting .*)?$`)
	objectNames    = regexp.MustCompile(objectMark + `[0-9]+`)
)

// message says in our words what cel-go reports; name is the name that the
// issue is about, where it is about one.
func (e *Env) message(parsed *ast.AST, id int64, text string) (message, name string) {
	if m := undefinedField.FindStringSubmatch(text); m != nil && parsed != nil {
		return e.noMember(parsed, id, m[1]), m[1]
	}
	if m := undeclared.FindStringSubmatch(text); m != nil {
		return e.noName(parsed, id, m[1]), m[1]
	}
	if m := noOverload.FindStringSubmatch(text); m != nil {
		return noOperation(m[1], objectNames.ReplaceAllString(m[2], "object")), m[1]
	}
	if m := noSelection.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("%s has no members", objectNames.ReplaceAllString(m[1], "object")), ""
	}
	if m := unexpected.FindStringSubmatch(text); m != nil {
		if m[1] == "<EOF>" {
			return "the expression ends too early", ""
		}
		return fmt.Sprintf("unexpected %q", m[1]), ""
	}
	return objectNames.ReplaceAllString(strings.TrimPrefix(text, "Syntax error: "), "object"), ""
}

// noMember names the members that the object has, or the nearest one.
func (e *Env) noMember(parsed *ast.AST, id int64, name string) string {
	at, ok := e.selected(parsed, id)
	if !ok || at.shape == nil || at.shape.object == nil {
		return fmt.Sprintf("there is no member %q", name)
	}
	return fmt.Sprintf("%s has no %q%s", at.path(), name, suggest(name, at.shape.object.names, "it has"))
}

// noName says what a name could have been: a variable or a function.
func (e *Env) noName(parsed *ast.AST, id int64, name string) string {
	if parsed != nil {
		if expr, ok := find(parsed, id); ok && expr.Kind() == ast.CallKind {
			return fmt.Sprintf("there is no function %s%s", name, suggest(name, e.callees(), ""))
		}
	}
	names := make([]string, len(e.types.variables))
	for i, v := range e.types.variables {
		names[i] = v.name
	}
	return fmt.Sprintf("there is no variable %q%s", name, suggest(name, names, "there are"))
}

// callees returns the names of the functions that can be called, sorted.
func (e *Env) callees() []string {
	whole, err := e.whole()
	if err != nil {
		return nil
	}
	return whole.callee
}

func find(parsed *ast.AST, id int64) (ast.Expr, bool) {
	matches := ast.MatchDescendants(ast.NavigateAST(parsed), func(e ast.NavigableExpr) bool { return e.ID() == id })
	if len(matches) == 0 {
		return nil, false
	}
	return matches[0], true
}

// selected returns the place of the operand of the selection with that id.
func (e *Env) selected(parsed *ast.AST, id int64) (at place, ok bool) {
	var visit func(expr ast.Expr, bound bindings)
	visit = func(expr ast.Expr, bound bindings) {
		if expr.ID() == id && expr.Kind() == ast.SelectKind {
			at, ok = e.types.locate(expr.AsSelect().Operand(), bound)
		}
		e.types.inside(expr, bound, visit)
	}
	visit(parsed.Expr(), nil)
	return at, ok
}

// operatorSign returns an operator as it is written.
func operatorSign(name string) (string, bool) {
	switch name {
	case operators.In:
		return "in", true
	case operators.Index:
		return "[]", true
	case operators.Negate:
		return "-", true
	case operators.LogicalNot:
		return "!", true
	case operators.Conditional:
		return "? :", true
	}
	sign := strings.Trim(name, "_")
	return sign, isOperator(name)
}

func noOperation(function, signature string) string {
	sign, isSign := operatorSign(function)
	if !isSign {
		return fmt.Sprintf("%s does not take %s", function, signature)
	}
	arguments := split(strings.TrimSuffix(strings.TrimPrefix(signature, "("), ")"))
	if len(arguments) == 2 && slices.Contains(arguments, "double") && slices.Contains(arguments, "int") {
		return fmt.Sprintf("%s does not take %s: write the int as a double, as in 1.0", sign, strings.Join(arguments, " and "))
	}
	return fmt.Sprintf("%s does not take %s", sign, strings.Join(arguments, " and "))
}

// split separates the types of a signature at its outer commas.
func split(signature string) []string {
	var out []string
	depth, start := 0, 0
	for i, r := range signature {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, strings.TrimSpace(signature[start:i]))
				start = i + 1
			}
		}
	}
	return append(out, strings.TrimSpace(signature[start:]))
}

func typeName(t *types.Type) string {
	return objectNames.ReplaceAllString(cel.FormatCELType(t), "object")
}

// suggest names the nearest of names, or all when there are few.
func suggest(name string, names []string, all string) string {
	best, distance := "", len(name)/3+1
	for _, candidate := range names {
		if d := editDistance(strings.ToLower(name), strings.ToLower(candidate), distance); d < distance {
			best, distance = candidate, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %s?", best)
	case all == "" || len(names) > 12:
		return ""
	case len(names) == 0:
		return "; it has no members"
	}
	return fmt.Sprintf("; %s %s", all, strings.Join(names, ", "))
}

// editDistance counts the letters to insert, delete, replace or swap between
// a and b, or returns at least limit.
func editDistance(a, b string, limit int) int {
	if len(a) > 64 || len(b) > 64 || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row
		row = make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before = last
	}
	return row[len(b)]
}
