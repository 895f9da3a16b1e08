package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/internal/zarr"
)

// candidates are files of one kind that Guess found in a folder.
type candidates struct {
	// pattern is relative to the folder; files lists some of the files that it matches.
	pattern string
	files   []string
	// arrays lists the texts that {array} matches.
	arrays []string
	// other counts the files that the pattern leaves out.
	other int
	notes []string
}

// extensions lists the extensions of files with a known format.
var extensions = []string{".h5", ".hdf5", ".he5", ".hdf", ".nc", ".nc4", ".cdf", ".npy", ".npz", ".zarr"}

// Bounds of the search in a folder.
const (
	maxGuessed    = 1 << 17
	maxGuessDepth = 4
)

// findFiles lists the files in a folder by extension, relative to it, and returns the most
// frequent kind. Files without a known extension are only used if there are no others.
func findFiles(folder string) ([]string, int, error) {
	byExt := map[string][]string{}
	total := 0
	err := filepath.WalkDir(folder, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(folder, p)
		rel = filepath.ToSlash(rel)
		if strings.HasPrefix(e.Name(), ".") && rel != "." {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		isStore := e.IsDir() && rel != "." && zarr.Is(p)
		if e.IsDir() && !isStore {
			if strings.Count(rel, "/") >= maxGuessDepth {
				return fs.SkipDir
			}
			return nil
		}
		if total++; total > maxGuessed {
			return fs.SkipAll
		}
		ext := strings.ToLower(filepath.Ext(rel))
		if isStore {
			ext = ".zarr"
		}
		byExt[ext] = append(byExt[ext], rel)
		if isStore {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	best := ""
	for _, ext := range keysOf(byExt) {
		known, bestKnown := slices.Contains(extensions, ext), slices.Contains(extensions, best)
		if best == "" && len(byExt[best]) == 0 || known && !bestKnown || known == bestKnown && len(byExt[ext]) > len(byExt[best]) {
			best = ext
		}
	}
	if len(byExt[best]) == 0 {
		return nil, 0, fmt.Errorf("%s: expected files of arrays (%s), got none", folder, strings.Join(extensions, ", "))
	}
	slices.SortFunc(byExt[best], natural)
	return byExt[best], total - len(byExt[best]), nil
}

// numberToken matches a number in a file name.
var numberToken = regexp.MustCompile(`\d+(?:\.\d+)?(?:[eE][-+]?\d+)?`)

// splitToken matches the name of a split between separators.
var splitToken = regexp.MustCompile(`(?i)(^|[/_\-.])(train|training|valid|val|validation|test|testing)($|[/_\-.])`)

// stepWords and runWords are the words before a number that say what it counts.
var (
	stepWords = []string{"t", "time", "step", "timestep", "frame", "snap", "snapshot", "out", "output", "iter", "it", "plt", "dump", "chk", "ts", "tick"}
	runWords  = []string{"run", "sim", "simulation", "traj", "trajectory", "sample", "case", "id", "member", "ens", "realization", "seed"}
)

// skeleton is a file name whose numbers are replaced.
type skeleton struct {
	text    string // with \x01 for a number and \x02 for a split
	numbers []string
}

// skeletonOf takes the numbers and the split out of a relative path. The extension stays.
func skeletonOf(rel string) skeleton {
	ext := filepath.Ext(rel)
	stem := strings.TrimSuffix(rel, ext)
	stem = splitToken.ReplaceAllString(stem, "$1\x02$3")
	s := skeleton{numbers: numberToken.FindAllString(stem, -1)}
	s.text = numberToken.ReplaceAllString(stem, "\x01") + ext
	return s
}

// generalize finds the pattern of the most frequent kind of names among files of one
// extension.
func generalize(files []string) candidates {
	type group struct {
		text  string
		files []string
		list  []skeleton
	}
	byText := map[string]*group{}
	var groups []*group
	for _, f := range files {
		s := skeletonOf(f)
		g := byText[s.text]
		if g == nil {
			g = &group{text: s.text}
			byText[s.text] = g
			groups = append(groups, g)
		}
		g.files, g.list = append(g.files, f), append(g.list, s)
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(len(b.files), len(a.files)) })
	first := groups[0]
	c := candidates{files: first.files, other: len(files) - len(first.files)}
	text := first.text
	// NPY files have no names for arrays: files of the same numbers hold one array each.
	if strings.HasSuffix(text, ".npy") {
		var texts []string
		for _, g := range groups {
			if len(g.files) == len(first.files) {
				texts = append(texts, g.text)
			}
		}
		if before, after, names, ok := differ(texts); ok {
			text, c.arrays, c.other = before+"{array}"+after, names, len(files)-len(names)*len(first.files)
			c.files = nil
			for i, g := range groups {
				if i < len(texts) {
					c.files = append(c.files, g.files...)
				}
			}
		}
	}
	c.pattern = fill(text, first.list, &c)
	return c
}

// differ returns the parts of texts around a single word in which they differ.
func differ(texts []string) (before, after string, words []string, ok bool) {
	if len(texts) < 2 {
		return "", "", nil, false
	}
	before, after = texts[0], texts[0]
	for _, t := range texts[1:] {
		for !strings.HasPrefix(t, before) {
			before = before[:len(before)-1]
		}
		for !strings.HasSuffix(t, after) {
			after = after[1:]
		}
	}
	// Whole words: "ux" and "uy" differ in the whole name.
	for before != "" && !strings.ContainsAny(before[len(before)-1:], "_-./ ") {
		before = before[:len(before)-1]
	}
	for after != "" && !strings.ContainsAny(after[:1], "_-./ ") {
		after = after[1:]
	}
	for _, t := range texts {
		if len(before)+len(after) >= len(t) {
			return "", "", nil, false
		}
		w := t[len(before) : len(t)-len(after)]
		if strings.ContainsAny(w, "/\x01\x02") {
			return "", "", nil, false
		}
		words = append(words, w)
	}
	return before, after, words, true
}

// fill replaces the marks of a skeleton: numbers that vary become names in braces.
func fill(text string, list []skeleton, c *candidates) string {
	var out strings.Builder
	used := map[string]bool{timeName: true, trajectoryName: true, arrayName: true, splitName: true}
	varying := 0
	for i := range list[0].numbers {
		if varies(list, i) {
			varying++
		}
	}
	number, seen := 0, 0
	for _, r := range text {
		switch r {
		case '\x01':
			if !varies(list, number) {
				out.WriteString(list[0].numbers[number])
				number++
				break
			}
			seen++
			name := nameNumber(wordBefore(out.String()), seen == varying, used, c)
			used[name] = true
			out.WriteString("{" + name + "}")
			number++
		case '\x02':
			out.WriteString("{" + splitName + "}")
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func varies(list []skeleton, i int) bool {
	return slices.ContainsFunc(list, func(s skeleton) bool { return s.numbers[i] != list[0].numbers[i] })
}

// wordBefore returns the letters at the end of a text, without separators after them.
func wordBefore(s string) string {
	s = strings.TrimRight(s, "_-. =")
	i := len(s)
	for i > 0 && (s[i-1] >= 'a' && s[i-1] <= 'z' || s[i-1] >= 'A' && s[i-1] <= 'Z') {
		i--
	}
	return s[i:]
}

// unknownNumber is the name of a number of which the file name does not say what it counts.
const unknownNumber = "number"

// nameNumber names a number by the word before it. The last number that varies counts steps
// or trajectories; which of them, the arrays say.
func nameNumber(word string, last bool, used map[string]bool, c *candidates) string {
	lower := strings.ToLower(word)
	switch {
	case slices.Contains(stepWords, lower) && !used["is time"]:
		used["is time"] = true
		return timeName
	case slices.Contains(runWords, lower) && !used["is trajectory"]:
		used["is trajectory"] = true
		return trajectoryName
	case last && !used["is time"]:
		return unknownNumber
	case word != "" && !used[word]:
		c.notes = append(c.notes, fmt.Sprintf("the number after %q in the file names is taken as a parameter", word))
		return word
	}
	for i := 1; ; i++ {
		if name := fmt.Sprintf("n%d", i); !used[name] {
			return name
		}
	}
}

// search finds the files of a path and their pattern relative to root.
func search(path string) (root string, c candidates, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", c, err
	}
	if !info.IsDir() || zarr.Is(path) {
		return filepath.Dir(path), candidates{pattern: filepath.Base(path), files: []string{filepath.Base(path)}}, nil
	}
	files, other, err := findFiles(path)
	if err != nil {
		return "", c, err
	}
	c = generalize(files)
	c.other += other
	return path, c, nil
}

// errNothing is the error of files without arrays of numbers.
var errNothing = errors.New("expected arrays of numbers, got none")
