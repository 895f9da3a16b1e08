package slug

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFile(t *testing.T) {
	var n Names
	for _, c := range []struct{ name, want string }{
		{"shear_flow", "shear_flow.gif"},
		{"shear_flow", "shear_flow-2.gif"},
		{"Shear_Flow", "Shear_Flow-3.gif"},
		{"shear_flow-2", "shear_flow-2-2.gif"},
		{"../../x", "_.._x.gif"},
		{"a/b", "a_b.gif"},
		{`a\b`, "a_b-2.gif"},
		{"..", "_.gif"},
		{"", "_-2.gif"},
		{"nul", "_nul.gif"},
		{"COM1.tar", "_COM1.tar.gif"},
		{"Strömung", "Str_mung.gif"},
		{"a\x00b", "a_b-3.gif"},
		{strings.Repeat("x", 300), strings.Repeat("x", maxLength) + ".gif"},
	} {
		assert.Equal(t, c.want, n.File(c.name, ".gif"), "%q", c.name)
	}
}

func FuzzFile(f *testing.F) {
	for _, s := range []string{"../x", "C:\\x", "/etc/passwd", "a\x00", ".", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		var n Names
		first, second := n.File(name, ".gif"), n.File(name, ".gif")
		for _, file := range []string{first, second} {
			if file != filepath.Base(file) || !filepath.IsLocal(file) || len(file) > maxLength+10 {
				t.Fatalf("%q became %q", name, file)
			}
		}
		if strings.EqualFold(first, second) {
			t.Fatalf("%q became %q twice", name, first)
		}
	})
}
