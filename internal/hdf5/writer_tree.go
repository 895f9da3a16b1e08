package hdf5

import "slices"

// fanOut is the number of children of a node. It is the default that readers assume.
const fanOut = 64

// treeKey is the key before a child: the first chunk of the child.
type treeKey struct {
	size   int
	offset []int
}

// treeChild is a chunk or a node, with the key before it and the one after it.
type treeChild struct {
	first, last treeKey
	address     uint64
}

// writeTree writes the B-tree of version 1 that finds the chunks and returns its
// address.
func (d *DatasetWriter) writeTree() (uint64, error) {
	if len(d.chunks) == 0 {
		return undefined, nil
	}
	slices.SortFunc(d.chunks, func(a, b newChunk) int { return slices.Compare(a.offset, b.offset) })
	children := make([]treeChild, len(d.chunks))
	for i, c := range d.chunks {
		children[i] = treeChild{first: treeKey{c.size, c.offset}, address: c.address}
		// The key after the last chunk is a position beyond it.
		if i+1 == len(d.chunks) {
			end := make([]int, len(c.offset))
			for a, o := range c.offset {
				end[a] = o + d.spec.Chunk[a]
			}
			children[i].last = treeKey{0, end}
		} else {
			children[i].last = treeKey{0, d.chunks[i+1].offset}
		}
	}
	for level := 0; ; level++ {
		var err error
		if children, err = d.writeLevel(children, level); err != nil {
			return 0, err
		}
		if len(children) == 1 {
			return children[0].address, nil
		}
	}
}

// writeLevel writes the nodes above a row of children and returns them.
func (d *DatasetWriter) writeLevel(children []treeChild, level int) ([]treeChild, error) {
	keySize := 8 + 8*(len(d.spec.Shape)+1)
	nodeSize := 24 + (fanOut+1)*keySize + fanOut*8
	groups := slices.Collect(slices.Chunk(children, fanOut))
	begin := d.w.allocate(uint64(len(groups) * nodeSize))
	var out []treeChild
	for i, g := range groups {
		address := func(k int) uint64 {
			if k < 0 || k >= len(groups) {
				return undefined
			}
			return begin + uint64(k*nodeSize)
		}
		b := append([]byte("TREE"), chunkTree, byte(level))
		b = le.AppendUint16(b, uint16(len(g)))
		b = le.AppendUint64(b, address(i-1))
		b = le.AppendUint64(b, address(i+1))
		for _, c := range g {
			b = appendKey(b, c.first)
			b = le.AppendUint64(b, c.address)
		}
		last := g[len(g)-1].last
		b = appendKey(b, last)
		b = append(b, make([]byte, nodeSize-len(b))...)
		if _, err := d.w.f.WriteAt(b, int64(address(i))); err != nil {
			return nil, err
		}
		out = append(out, treeChild{g[0].first, last, address(i)})
	}
	return out, nil
}

// appendKey appends a key: bytes of the chunk, a filter mask of 0, the offset of the
// first element, and 0 for the offset inside an element.
func appendKey(b []byte, k treeKey) []byte {
	b = le.AppendUint32(b, uint32(k.size))
	b = le.AppendUint32(b, 0)
	for _, o := range append(slices.Clone(k.offset), 0) {
		b = le.AppendUint64(b, uint64(o))
	}
	return b
}
