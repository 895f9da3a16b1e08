// Package slug turns names that come from data into file names.
package slug

import (
	"fmt"
	"strings"
)

// maxLength bounds a file name without its suffix and extension.
const maxLength = 80

// Names gives names file names that are unique in one folder, also where case does not
// count. The zero value is ready for use.
type Names struct {
	taken map[string]bool
}

// File returns the file name for a name: letters, digits, "-", "_" and inner dots are
// kept, other characters become "_", and the length is bounded. The result is never
// empty and never leaves its folder. A name that an earlier call returned gets a number.
func (n *Names) File(name, extension string) string {
	if n.taken == nil {
		n.taken = map[string]bool{}
	}
	base := clean(name)
	for i := 1; ; i++ {
		file := base
		if i > 1 {
			file = fmt.Sprintf("%s-%d", base, i)
		}
		file += extension
		if key := strings.ToLower(file); !n.taken[key] {
			n.taken[key] = true
			return file
		}
	}
}

// clean keeps the characters that are safe on every file system.
func clean(name string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, name)
	out = strings.Trim(out[:min(len(out), maxLength)], ".")
	if out == "" || reserved[strings.ToLower(strings.SplitN(out, ".", 2)[0])] {
		out = "_" + out
	}
	return out
}

// reserved lists device names, which Windows does not allow as file names with any
// extension.
var reserved = func() map[string]bool {
	out := map[string]bool{"con": true, "prn": true, "aux": true, "nul": true}
	for i := range 10 {
		out[fmt.Sprintf("com%d", i)], out[fmt.Sprintf("lpt%d", i)] = true, true
	}
	return out
}()
