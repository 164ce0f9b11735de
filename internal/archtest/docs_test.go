package archtest

import (
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	declaredTest = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`)
	quoted       = regexp.MustCompile("`([^`]+)`")
	link         = regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)
	runbook      = regexp.MustCompile(`runbook: "([^"#]*)(#[^"]*)?"`)
	heading      = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInAnchor  = regexp.MustCompile(`[^\pL\pN_-]`)
	qualified    = regexp.MustCompile(`(?:^|[^\w/.])([a-z]+)\.([A-Z]\w*)(?:\.([A-Z]\w*))?`)
)

// A defence of the threat model is worth the test that would fail without it.
func TestThreatModelNamesTestsThatExist(t *testing.T) {
	declared := map[string]bool{} // "classify/TestChoose"
	for name, text := range sources(t, "_test.go") {
		for _, match := range declaredTest.FindAllStringSubmatch(text, -1) {
			declared[filepath.ToSlash(filepath.Dir(name))+"/"+match[1]] = true
		}
	}
	rows := 0
	for _, line := range strings.Split(sources(t, ".md")["docs/threat-model.md"], "\n") {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| Threat |") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		require.Len(t, cells, 4, line)
		rows++
		for _, file := range quoted.FindAllStringSubmatch(cells[2], -1) {
			_, err := os.Stat(filepath.Join(root, file[1]))
			assert.NoError(t, err, "where: %s", line)
		}
		tests := quoted.FindAllStringSubmatch(cells[3], -1)
		assert.NotEmpty(t, tests, "no test proves: %s", line)
		for _, test := range tests {
			assert.True(t, declared[test[1]], "there is no test %s, which proves: %s", test[1], line)
		}
	}
	assert.GreaterOrEqual(t, rows, 20)
}

func TestLinksBetweenDocumentsResolve(t *testing.T) {
	pages := sources(t, ".md")
	for name, text := range pages {
		links := link.FindAllStringSubmatch(text, -1)
		for _, match := range append(links, runbook.FindAllStringSubmatch(text, -1)...) {
			to := name
			if match[1] != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(name), match[1]))
			}
			_, err := os.Stat(filepath.Join(root, to))
			assert.NoError(t, err, "%s links to %s", name, match[1])
			if match[2] != "" {
				assert.Contains(t, anchors(pages[to]), match[2], "%s links to %s%s", name, match[1], match[2])
			}
		}
	}
}

// anchors returns the fragments that lead to the headings of a page.
func anchors(text string) []string {
	var all []string
	for _, heading := range heading.FindAllStringSubmatch(text, -1) {
		words := strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-")
		all = append(all, "#"+notInAnchor.ReplaceAllString(words, ""))
	}
	return all
}

// What a page says that a host calls is there to be called.
func TestDocumentsNameWhatIsExported(t *testing.T) {
	load, scopes, found := loader(t), map[string]*types.Package{}, 0
	for _, p := range goList(t, "./...") {
		if !strings.Contains(p.ImportPath, "/internal/") {
			pkg := load(p.ImportPath)
			scopes[pkg.Name()] = pkg
		}
	}
	for name, text := range sources(t, ".md") {
		for _, match := range qualified.FindAllStringSubmatch(text, -1) {
			pkg := scopes[match[1]]
			if pkg == nil {
				continue
			}
			found++
			object := pkg.Scope().Lookup(match[2])
			if !assert.NotNil(t, object, "%s: %s", name, match[0]) || match[3] == "" {
				continue
			}
			member, _, _ := types.LookupFieldOrMethod(object.Type(), true, pkg, match[3])
			assert.NotNil(t, member, "%s: %s", name, match[0])
		}
	}
	assert.Greater(t, found, 100)
}

// A decision is worth an entry when something was weighed, so the page is
// questions as titles.
func TestDecisionsAreQuestions(t *testing.T) {
	text := sources(t, ".md")["docs/decisions.md"]
	titles := regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, titles)
	for _, title := range titles {
		assert.Contains(t, title[1], "?", title[1])
	}
}
