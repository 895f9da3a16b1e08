package gowalrus_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// page is a Markdown file of the repository.
type page struct {
	path    string // with slashes, relative to the root
	text    string // without the content of code blocks
	blocks  []block
	anchors map[string]bool
}

// block is a fenced code block. Its header is what follows ```.
type block struct {
	header, body string
	line         int
}

// readPages reads all Markdown files.
func readPages(t *testing.T) map[string]*page {
	t.Helper()
	pages := map[string]*page{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "out") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil {
			p := parsePage(filepath.ToSlash(path), string(text))
			pages[p.path] = p
		}
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	return pages
}

func parsePage(path, text string) *page {
	p := &page{path: path, anchors: map[string]bool{}}
	var open *block
	var plain strings.Builder
	for i, line := range strings.Split(text, "\n") {
		header, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && open == nil:
			open = &block{header: header, line: i + 1}
		case fence:
			p.blocks, open = append(p.blocks, *open), nil
		case open != nil:
			open.body += line + "\n"
		default:
			plain.WriteString(line + "\n")
			if title := strings.TrimLeft(line, "#"); title != line && strings.HasPrefix(title, " ") {
				p.anchors[anchor(title)] = true
			}
		}
	}
	p.text = plain.String()
	return p
}

var (
	notAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	linkText  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inline    = regexp.MustCompile("`[^`]*`")
)

// anchor returns the name that GitHub gives to a heading.
func anchor(title string) string {
	title = linkText.ReplaceAllString(strings.TrimSpace(title), "$1")
	return strings.ReplaceAll(notAnchor.ReplaceAllString(strings.ToLower(title), ""), " ", "-")
}

// TestLinks: links between pages and to files lead somewhere.
func TestLinks(t *testing.T) {
	pages := readPages(t)
	for _, p := range pages {
		for _, m := range link.FindAllStringSubmatch(inline.ReplaceAllString(p.text, ""), -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			to := p.path
			if target != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(p.path), target))
			}
			_, err := os.Stat(to)
			if !assert.NoError(t, err, "%s: link to %s", p.path, m[1]) || fragment == "" {
				continue
			}
			if other := pages[to]; assert.NotNil(t, other, "%s: link to %s: expected a page", p.path, m[1]) {
				assert.True(t, other.anchors[fragment], "%s: link to %s: expected such a heading", p.path, m[1])
			}
		}
	}
}

// TestCommands: every block of commands of the README and of docs says that the phase docs
// of .ci/run runs it (sh run), or why it does not (sh not run: …).
func TestCommands(t *testing.T) {
	ran := 0
	for _, p := range readPages(t) {
		if p.path != "README.md" && !strings.HasPrefix(p.path, "docs/") {
			continue
		}
		for _, b := range p.blocks {
			language, how, _ := strings.Cut(b.header, " ")
			if language != "sh" {
				continue
			}
			reason, exempt := strings.CutPrefix(how, "not run: ")
			assert.True(t, how == "run" || exempt && reason != "", "%s:%d: expected ```sh run or ```sh not run: REASON, got ```%s", p.path, b.line, b.header)
			if how == "run" {
				ran++
			}
		}
	}
	assert.NotZero(t, ran)
}

// TestPageGuards shows that the tests of pages can fail.
func TestPageGuards(t *testing.T) {
	p := parsePage("x.md", "# A `b` & [c](d.md)\n```sh\ngo\n```\n[x](#a-b--c)")
	assert.True(t, p.anchors["a-b--c"], "%v", p.anchors)
	assert.Equal(t, []block{{"sh", "go\n", 2}}, p.blocks)
	assert.NotContains(t, p.text, "go\n")
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	assert.LessOrEqual(t, strings.Count(string(readme), "\n"), 150, "lines of the README")
}
