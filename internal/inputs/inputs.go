// Package inputs names the inputs of compiled programs. Host and graph refer to an input by
// its name, so that no two functions have to agree on positions.
package inputs

import (
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/internal/shard"
)

// Input is a tensor that a program gets.
type Input struct {
	Name   string
	Tensor *tensors.Tensor
	// Samples is the axis of samples, which is cut over the devices of a group, or −1 if
	// every device gets the whole tensor.
	Samples int
	// Parts, if set, replaces Tensor: a tensor that a group stores as Slot says.
	Parts []*tensors.Tensor
	Slot  shard.Slot
}

// List holds the inputs of a program in the order of its parameters.
type List []Input

// Add appends an input that every device gets whole.
func (l *List) Add(name string, x *tensors.Tensor) { l.AddSamples(name, x, -1) }

// AddSamples appends an input whose given axis holds samples.
func (l *List) AddSamples(name string, x *tensors.Tensor, axis int) {
	*l = append(*l, Input{Name: name, Tensor: x, Samples: axis})
}

// AddParts appends a tensor that is on the devices of a group.
func (l *List) AddParts(name string, parts []*tensors.Tensor, s shard.Slot) {
	*l = append(*l, Input{Name: name, Parts: parts, Slot: s})
}

// Args returns the tensors as arguments of a call.
func (l List) Args() []any {
	out := make([]any, len(l))
	for i, x := range l {
		out[i] = x.Tensor
	}
	return out
}

// Names returns the names in order.
func (l List) Names() []string {
	out := make([]string, len(l))
	for i, x := range l {
		out[i] = x.Name
	}
	return out
}

// Nodes names the parameters of a program that gets the list.
func (l List) Nodes(in []*Node) Nodes { return named(l.Names(), in) }

func named(names []string, in []*Node) Nodes {
	if len(in) != len(names) {
		panic(fmt.Errorf("inputs: expected nodes of %v, got %d", names, len(in)))
	}
	out := make(Nodes, len(names))
	for i, name := range names {
		if out[name] != nil {
			panic(fmt.Errorf("inputs: two inputs have the name %s", name))
		}
		out[name] = in[i]
	}
	return out
}

// Free frees the tensors.
func (l List) Free() {
	for _, x := range l {
		x.Tensor.FinalizeAll()
	}
}

// Nodes holds the parameters of a program by name.
type Nodes map[string]*Node

// Get returns the node of an input. It panics without one, as graph building does.
func (n Nodes) Get(name string) *Node {
	x := n[name]
	if x == nil {
		panic(fmt.Errorf("inputs: expected an input %s, got none", name))
	}
	return x
}

// Optional returns the node of an input, or nil.
func (n Nodes) Optional(name string) *Node { return n[name] }

// statistics names the inputs that hold the statistics of fields.
var statistics = [4]string{"mean", "std", "delta mean", "delta std"}

// AddStatistics appends mean, std, delta mean and delta std.
func (l *List) AddStatistics(s [4]*tensors.Tensor) {
	for i, x := range s {
		l.Add(statistics[i], x)
	}
}

// Statistics returns the nodes of AddStatistics, or false without them.
func (n Nodes) Statistics() (s [4]*Node, ok bool) {
	for i, name := range statistics {
		s[i] = n[name]
	}
	return s, s[0] != nil
}

// Program is a compiled function of named inputs. It is safe for concurrent use.
type Program struct {
	exec  *Exec
	once  sync.Once
	names []string // of the first call
	group *group   // nil for a single device
}

// NewProgram returns the program that f builds when it is first called.
func NewProgram(b compute.Backend, f func(in Nodes) []*Node) (*Program, error) {
	p := &Program{}
	var err error
	p.exec, err = NewExec(b, func(in []*Node) []*Node { return f(named(p.names, in)) })
	return p, err
}

// Call runs the program on a device. Every call must have the names of the first, in the
// same order.
func (p *Program) Call(device compute.DeviceNum, in List) ([]*tensors.Tensor, error) {
	names := in.Names()
	p.once.Do(func() {
		p.names = names
		if p.group != nil {
			p.exec, p.group.err = p.group.compile(in)
		}
	})
	if !slices.Equal(names, p.names) {
		return nil, fmt.Errorf("inputs: expected %v as in the first call, got %v", p.names, names)
	}
	if p.group != nil {
		return p.group.call(p.exec, in)
	}
	out, _, err := p.exec.CallWithGraphOnDevice(device, in.Args()...)
	return out, err
}

// Close frees the program.
func (p *Program) Close() {
	if p.exec != nil {
		p.exec.Finalize()
	}
}
