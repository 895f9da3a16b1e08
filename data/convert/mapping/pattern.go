package mapping

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Names in braces that have a meaning in a pattern.
const (
	trajectoryName = "trajectory"
	timeName       = "time"
	arrayName      = "array"
	splitName      = "split"
)

// placeholder matches a name in braces.
var placeholder = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// wild matches a name in braces or a star.
var wild = regexp.MustCompile(`\{[A-Za-z_][A-Za-z0-9_]*\}|\*`)

// found is a file that a pattern matches.
type found struct {
	path string
	// captures holds the text of each name in braces, and of the stars as "*0", "*1", ….
	captures map[string]string
}

// maxFiles bounds the files and folders that a pattern visits.
const maxFiles = 1 << 20

// patternNames returns the names in braces of a pattern.
func patternNames(pattern string) []string {
	var out []string
	for _, m := range placeholder.FindAllStringSubmatch(pattern, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

// glob lists the files that a pattern matches, and folders that are Zarr stores.
func glob(dir, pattern string) ([]found, error) {
	if pattern == "" {
		return nil, errors.New(`expected a pattern of files, such as "run_{trajectory}.h5", got none`)
	}
	full := filepath.ToSlash(pattern)
	if !filepath.IsAbs(pattern) {
		full = filepath.ToSlash(dir) + "/" + full
	}
	// The part before the first wildcard is a path.
	base, rest := "", full
	if i := wild.FindStringIndex(full); i != nil {
		cut := strings.LastIndexByte(full[:i[0]], '/') + 1
		base, rest = full[:cut], full[cut:]
	} else {
		base, rest = full, ""
	}
	if base == "" {
		base = "."
	}
	g := &globber{left: maxFiles}
	list := []found{{filepath.Clean(filepath.FromSlash(base)), map[string]string{}}}
	for part := range strings.SplitSeq(rest, "/") {
		if part == "" {
			continue
		}
		var err error
		if list, err = g.level(list, part); err != nil {
			return nil, err
		}
	}
	if rest == "" {
		if _, err := os.Stat(list[0].path); err != nil {
			return nil, fmt.Errorf("expected a file %s: %w", list[0].path, errOf(err))
		}
		return list, nil
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("expected files that match %s, got none among %s: correct the pattern", pattern, few(g.seen))
	}
	return list, nil
}

// errOf returns the reason of a path error without the path.
func errOf(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

type globber struct {
	left int
	// seen lists the names of the folders that matched last, for the error.
	seen []string
}

// level matches one part of a pattern in every folder of a list.
func (g *globber) level(list []found, part string) ([]found, error) {
	re, names, err := compile(part)
	if err != nil {
		return nil, err
	}
	g.seen = nil
	var out []found
	for _, f := range list {
		entries, err := os.ReadDir(f.path)
		if err != nil {
			if len(list) == 1 {
				return nil, fmt.Errorf("expected a folder %s: %w", f.path, errOf(err))
			}
			continue // a file where others have a folder
		}
		for _, e := range entries {
			if g.left--; g.left < 0 {
				return nil, fmt.Errorf("expected a pattern that visits at most %d files, got more", maxFiles)
			}
			if len(g.seen) < 100 {
				g.seen = append(g.seen, e.Name())
			}
			texts := re.FindStringSubmatch(e.Name())
			if texts == nil {
				continue
			}
			next, ok := f.extend(names, texts[1:])
			if ok {
				next.path = filepath.Join(f.path, e.Name())
				out = append(out, next)
			}
		}
	}
	return out, nil
}

// extend adds captures; ok is false if a name has another text already.
func (f found) extend(names, texts []string) (found, bool) {
	next := found{captures: map[string]string{}}
	for k, v := range f.captures {
		next.captures[k] = v
	}
	for i, name := range names {
		if name == "*" {
			name = fmt.Sprintf("*%d", len(next.captures))
		}
		if old, ok := next.captures[name]; ok && old != texts[i] {
			return next, false
		}
		next.captures[name] = texts[i]
	}
	return next, true
}

// compile returns the regular expression of one part of a pattern, and the name of each of
// its groups.
func compile(part string) (*regexp.Regexp, []string, error) {
	var b strings.Builder
	var names []string
	b.WriteString("^")
	at := 0
	for _, i := range wild.FindAllStringIndex(part, -1) {
		b.WriteString(regexp.QuoteMeta(part[at:i[0]]))
		name := strings.Trim(part[i[0]:i[1]], "{}")
		switch at = i[1]; name {
		case "*":
			b.WriteString("(.*)")
		case timeName:
			b.WriteString(`([-+]?[0-9][-+0-9.eE]*)`)
		default:
			b.WriteString("(.+)")
		}
		names = append(names, name)
	}
	b.WriteString(regexp.QuoteMeta(part[at:]) + "$")
	re, err := regexp.Compile(b.String())
	return re, names, err
}

// substitute replaces the names in braces of a path.
func substitute(template string, captures map[string]string) (string, error) {
	var missing string
	out := placeholder.ReplaceAllStringFunc(template, func(s string) string {
		v, ok := captures[s[1:len(s)-1]]
		if !ok {
			missing = s
		}
		return v
	})
	if missing != "" {
		return "", fmt.Errorf("the name %s is not in the pattern of the files", missing)
	}
	return out, nil
}

// natural compares texts so that numbers in them are in order: step_9 before step_10. Texts
// that are numbers compare as numbers.
func natural(a, b string) int {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	if errA == nil && errB == nil && x != y {
		if x < y {
			return -1
		}
		return 1
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		if digit(a[i]) && digit(b[j]) {
			p, q := run(a[i:]), run(b[j:])
			m, n := strings.TrimLeft(p, "0"), strings.TrimLeft(q, "0")
			if len(m) != len(n) {
				return len(m) - len(n)
			}
			if c := strings.Compare(m, n); c != 0 {
				return c
			}
			i, j = i+len(p), j+len(q)
			continue
		}
		if a[i] != b[j] {
			return int(a[i]) - int(b[j])
		}
		i, j = i+1, j+1
	}
	if c := len(a) - len(b); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// run returns the digits at the start of a text.
func run(s string) string {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return s[:n]
}
