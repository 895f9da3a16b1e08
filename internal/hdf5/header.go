package hdf5

import "fmt"

// readObject parses the object header at an address and returns its size.
func (f *File) readObject(address uint64) (*object, uint64, error) {
	c, err := f.block(address, 6, "object header")
	if err != nil {
		return nil, 0, err
	}
	p := &headerParser{quota: quota{f: f}, o: &object{address: address}, seen: map[uint64]bool{address: true}}
	if string(c.b[:4]) == "OHDR" {
		err = p.readNew(address, c.b[5])
	} else {
		err = p.readOld(address)
	}
	if err != nil {
		return nil, 0, err
	}
	return p.o, p.quota.used, nil
}

// headerParser collects the messages of an object header from its first block
// and the continuation blocks.
type headerParser struct {
	quota quota
	o     *object
	seen  map[uint64]bool
	next  []extent // continuation blocks to read
	order bool     // new headers: messages carry a creation order
}

type extent struct{ address, size uint64 }

// readOld reads a header of version 1.
func (p *headerParser) readOld(address uint64) error {
	c, err := p.quota.block(address, 16, "object header")
	if err != nil {
		return err
	}
	c.version(1)
	c.skip(1 + 2 + 4) // reserved, number of messages, references
	size := uint64(c.u32())
	if c.err != nil {
		return c.err
	}
	p.next = []extent{{address + 16, size}}
	return p.rest("object header block", p.oldMessages)
}

// oldMessages reads the messages of a block of a header of version 1.
func (p *headerParser) oldMessages(c *cursor) error {
	for c.left() >= 8 && c.err == nil {
		kind, n, flags := c.u16(), c.u16(), c.u8()
		c.skip(3)
		p.add(c, message{kind, flags, c.bytes(n)})
	}
	return c.err
}

// rest reads the remaining blocks, including those that continue others.
func (p *headerParser) rest(what string, parse func(c *cursor) error) error {
	for len(p.next) > 0 {
		e := p.next[0]
		p.next = p.next[1:]
		c, err := p.quota.block(e.address, e.size, what)
		if err != nil {
			return err
		}
		if err := parse(c); err != nil {
			return err
		}
	}
	return nil
}

// readNew reads a header of version 2.
func (p *headerParser) readNew(address uint64, flags byte) error {
	prefix, width := 6, 1<<(flags&3)
	if flags&0x20 != 0 {
		prefix += 16 // times
	}
	if flags&0x10 != 0 {
		prefix += 4 // limits of attribute storage
	}
	p.order = flags&4 != 0
	c, err := p.quota.f.block(address, uint64(prefix+width), "object header")
	if err != nil {
		return err
	}
	c.signature("OHDR")
	c.version(2)
	c.skip(prefix - 5)
	size := c.uint(width)
	if c.err != nil {
		return c.err
	}
	if err := p.quota.f.within(address, size); err != nil {
		return fmt.Errorf("%s: %w", c.what, err)
	}
	if c, err = p.quota.block(address, uint64(prefix+width)+size+4, "object header"); err != nil {
		return err
	}
	c.skip(prefix + width)
	if err := p.messages(c); err != nil {
		return err
	}
	return p.rest("object header continuation", func(c *cursor) error {
		c.signature("OCHK")
		return p.messages(c)
	})
}

// messages reads the messages of a block of a header of version 2 up to its
// checksum.
func (p *headerParser) messages(c *cursor) error {
	head := 4
	if p.order {
		head += 2
	}
	for c.err == nil && c.left() >= head+4 {
		kind, n, flags := c.u8(), c.u16(), c.u8()
		c.skip(head - 4)
		if n > c.left()-4 {
			c.fail("message of type %d: expected %d bytes, got %d", kind, n, c.left()-4)
			break
		}
		p.add(c, message{kind, flags, c.bytes(n)})
	}
	if c.err == nil {
		c.skip(c.left() - 4) // a gap too short for a message
		p.quota.f.verify(c)
	}
	return c.err
}

// add stores a message or, for a continuation, the block to read.
func (p *headerParser) add(c *cursor, m message) {
	if c.err != nil {
		return
	}
	if m.kind == msgNil {
		return
	}
	if m.kind != msgContinuation {
		p.o.messages = append(p.o.messages, m)
		return
	}
	d := &cursor{b: m.data, what: c.what + ": continuation"}
	e := extent{p.quota.f.address(d), p.quota.f.length(d)}
	if p.seen[e.address] {
		d.fail("the block at %#x continues itself", e.address)
	}
	if c.err = d.err; c.err == nil {
		p.seen[e.address] = true
		p.next = append(p.next, e)
	}
}
