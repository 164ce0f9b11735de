package archtest

import (
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
	link         = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
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
	for name, text := range sources(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			_, err := os.Stat(filepath.Join(root, filepath.Dir(name), match[1]))
			assert.NoError(t, err, "%s links to %s", name, match[1])
		}
	}
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
