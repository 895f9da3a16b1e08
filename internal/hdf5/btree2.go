package hdf5

import (
	"fmt"
	"math/bits"
)

// The record types of version 2 B-trees that this package reads.
const (
	recordHuge          = 1
	recordLinkName      = 5
	recordAttributeName = 8
	recordChunk         = 10
	recordFilteredChunk = 11
)

// tree2 is the header of a B-tree of version 2.
type tree2 struct {
	quota      *quota
	kind       int
	nodeSize   int
	recordSize int
	depth      int
	root       uint64
	records    int // in the root
	// countLen[d] is the number of bytes of a count of records below a node of depth d;
	// max[d] is the largest number of records in the node itself.
	max, countLen []int
	seen          map[uint64]bool
}

// nodeOverhead is the signature, version, type and checksum of a node.
const nodeOverhead = 4 + 1 + 1 + 4

// tree2 reads the header of a B-tree of one of the given kinds.
func (q *quota) tree2(address uint64, kinds ...int) (*tree2, error) {
	f := q.f
	c, err := q.block(address, uint64(22+f.super.offsetLen+f.super.lengthLen), "B-tree header")
	if err != nil {
		return nil, err
	}
	c.signature("BTHD")
	c.version(0)
	t := &tree2{quota: q, kind: c.u8(), seen: map[uint64]bool{}}
	known := false
	for _, k := range kinds {
		known = known || k == t.kind
	}
	if c.err == nil && !known {
		c.fail("expected records of type %v, got %d", kinds, t.kind)
	}
	t.nodeSize, t.recordSize, t.depth = int(c.u32()), c.u16(), c.u16()
	c.skip(2) // percentages of splitting and merging
	t.root, t.records = f.address(c), c.u16()
	f.length(c) // all records
	f.verify(c)
	if c.err == nil && (t.nodeSize > 1<<24 || t.nodeSize < nodeOverhead+t.recordSize || t.recordSize == 0 || t.depth > 16) {
		c.fail("records of %d bytes in nodes of %d bytes and %d levels are not sensible", t.recordSize, t.nodeSize, t.depth)
	}
	if c.err != nil {
		return nil, c.err
	}
	t.sizes()
	return t, nil
}

// sizes computes the largest number of records in the nodes of each depth, which
// determines the number of bytes of record counts.
func (t *tree2) sizes() {
	t.max, t.countLen = make([]int, t.depth+1), make([]int, t.depth+1)
	t.max[0] = (t.nodeSize - nodeOverhead) / t.recordSize
	total := float64(t.max[0])
	for d := 1; d <= t.depth; d++ {
		pointer := t.pointerSize(d)
		t.max[d] = max((t.nodeSize-nodeOverhead-pointer)/(t.recordSize+pointer), 0)
		total = float64(t.max[d]+1)*total + float64(t.max[d])
		t.countLen[d] = bytesFor(uint64(min(total, 1<<62)))
	}
}

// pointerSize is the size of a child pointer in a node of a depth: address,
// records of the child, records below it unless it is a leaf.
func (t *tree2) pointerSize(depth int) int {
	return t.quota.f.super.offsetLen + bytesFor(uint64(t.max[0])) + t.countLen[depth-1]
}

// bytesFor returns the number of bytes that hold n.
func bytesFor(n uint64) int { return max(bits.Len64(n)-1, 0)/8 + 1 }

// each calls visit with a cursor on every record and returns its errors.
func (t *tree2) each(visit func(c *cursor) error) error {
	if t.root == undefined {
		return nil
	}
	return t.node(t.root, t.records, t.depth, visit)
}

// node visits the records of a node and of those below it.
func (t *tree2) node(address uint64, n, depth int, visit func(c *cursor) error) error {
	if t.seen[address] || n > t.max[depth] {
		return fmt.Errorf("the B-tree node at %#x: is its own descendant, or has more than %d records: %d", address, t.max[depth], n)
	}
	t.seen[address] = true
	size := 6 + n*t.recordSize + 4
	if depth > 0 {
		size += (n + 1) * t.pointerSize(depth)
	}
	c, err := t.quota.block(address, uint64(size), "B-tree node")
	if err != nil {
		return err
	}
	c.signature(map[bool]string{true: "BTIN", false: "BTLF"}[depth > 0])
	c.version(0)
	if kind := c.u8(); c.err == nil && kind != t.kind {
		c.fail("expected records of type %d, got %d", t.kind, kind)
	}
	records := c.bytes(n * t.recordSize)
	var children []child2
	if depth > 0 {
		children = t.children(c, n+1, depth)
	}
	t.quota.f.verify(c)
	if c.err != nil {
		return c.err
	}
	for i := range n {
		if err := visit(&cursor{b: records[i*t.recordSize : (i+1)*t.recordSize], what: c.what}); err != nil {
			return err
		}
	}
	for _, ch := range children {
		if err := t.node(ch.address, ch.records, depth-1, visit); err != nil {
			return err
		}
	}
	return nil
}

type child2 struct {
	address uint64
	records int
}

func (t *tree2) children(c *cursor, n, depth int) []child2 {
	out := make([]child2, n)
	for i := range out {
		out[i].address = t.quota.f.address(c)
		out[i].records = int(min(c.uint(bytesFor(uint64(t.max[0]))), 1<<30))
		c.skip(t.countLen[depth-1])
	}
	return out
}
