package walrus

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// LoadReport describes the content of a weight file and how it fits a network.
type LoadReport struct {
	Path string `json:"path"`
	// Format is FormatTorch or FormatSafetensors. Where is the place of the tensors
	// in the file, "app.model" or "top level", and the prefix of their names.
	Format string `json:"format"`
	Where  string `json:"where"`
	// Tensors is the number of tensors read from the file. Parameters is the number
	// of their values, without the constant rotary frequencies, which are not
	// parameters.
	Tensors    int   `json:"tensors"`
	Parameters int64 `json:"parameters"`
	// Converted counts the tensors that were converted to float32, by their type in
	// the file.
	Converted map[string]int `json:"converted,omitempty"`
	// Missing lists the tensors that only the network has, Unexpected those that only
	// the file has, Mismatched those whose shape or type in the file is not usable.
	Missing    []string   `json:"missing,omitempty"`
	Unexpected []string   `json:"unexpected,omitempty"`
	Mismatched []Mismatch `json:"mismatched,omitempty"`
	// Expanded lists the rotary frequencies of single axes that were copied from
	// frequencies that all axes share in the file.
	Expanded []string `json:"expanded,omitempty"`
	// Aligned is true if field columns were moved between two registries. NewFields
	// lists the fields that got initial values, DroppedFields the fields of the file
	// that the network does not have.
	Aligned       bool     `json:"aligned"`
	NewFields     []string `json:"new_fields,omitempty"`
	DroppedFields []string `json:"dropped_fields,omitempty"`
}

// Mismatch is a tensor whose shape or type in the file is not usable.
type Mismatch struct {
	Key string `json:"key"`
	// Want is the shape that the network expects, Got the shape in the file.
	Want  []int  `json:"want"`
	Got   []int  `json:"got"`
	DType string `json:"dtype"`
}

// String describes the mismatch in one line.
func (m Mismatch) String() string {
	if slices.Equal(m.Want, m.Got) {
		return fmt.Sprintf("%s: expected floating-point numbers, got %s", m.Key, m.DType)
	}
	return fmt.Sprintf("%s: expected shape %v, got %v", m.Key, m.Want, m.Got)
}

func (r *LoadReport) mismatched(key string) bool {
	return slices.ContainsFunc(r.Mismatched, func(m Mismatch) bool { return m.Key == key })
}

// String describes the report in a few lines and lists all names.
func (r *LoadReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, tensors at %s: %d tensors, %d parameters taken", r.Path, r.Format, r.Where, r.Tensors, r.Parameters)
	for _, dtype := range slices.Sorted(maps.Keys(r.Converted)) {
		fmt.Fprintf(&b, "\n%d tensors converted from %s to F32", r.Converted[dtype], dtype)
	}
	if r.Aligned {
		fmt.Fprintf(&b, "\nfield columns moved to the network's registry")
	}
	listLines(&b, "fields that start fresh", r.NewFields)
	listLines(&b, "fields of the file left out", r.DroppedFields)
	listLines(&b, "rotary frequencies copied from those all axes share", r.Expanded)
	r.problems(&b)
	return b.String()
}

// problems writes the lists of missing, unexpected and mismatched tensors.
func (r *LoadReport) problems(b *strings.Builder) {
	listLines(b, "missing in the file", r.Missing)
	listLines(b, "unexpected in the file", r.Unexpected)
	var lines []string
	for _, m := range r.Mismatched {
		lines = append(lines, m.String())
	}
	listLines(b, "of another shape or type", lines)
}

func listLines(b *strings.Builder, what string, names []string) {
	if len(names) > 0 {
		fmt.Fprintf(b, "\n%d %s:\n  %s", len(names), what, strings.Join(names, "\n  "))
	}
}

// LoadError lists every tensor for which a weight file does not fit a network.
type LoadError struct {
	Report *LoadReport
	// Hint names the option or the likely mistake; it may be empty.
	Hint string
}

// Error lists all these tensors.
func (e *LoadError) Error() string {
	var b strings.Builder
	r := cmp.Or(e.Report, &LoadReport{})
	fmt.Fprintf(&b, "walrus: loading %s: the file does not fit the network", r.Path)
	r.problems(&b)
	if e.Hint != "" {
		b.WriteString("\n" + e.Hint)
	}
	return b.String()
}

// check returns an error for problems that the options do not allow.
func (r *LoadReport) check(o LoadOptions) error {
	if r.Tensors == 0 {
		return &LoadError{r, "none of the network's tensors is in the file"}
	}
	missing := len(r.Missing) > 0 && !o.AllowMissing
	unexpected := len(r.Unexpected) > 0 && !o.AllowUnexpected
	mismatched := len(r.Mismatched) > 0 && !o.AllowMismatched
	if !missing && !unexpected && !mismatched {
		return nil
	}
	return &LoadError{r, r.hint()}
}

// hint explains mismatched shapes that differ only in the number of fields.
func (r *LoadReport) hint() string {
	for _, m := range r.Mismatched {
		axis, _ := fieldAxis(m.Key)
		if axis < 0 || len(m.Want) != len(m.Got) || m.Want[axis] == m.Got[axis] {
			continue
		}
		whose := "the configuration"
		if r.Aligned {
			whose = "LoadOptions.Source"
		}
		return fmt.Sprintf("the file's network knows %d field columns, %s %d: "+
			"LoadOptions.Source must be the registry that the file was written with", m.Got[axis], whose, m.Want[axis])
	}
	return ""
}
