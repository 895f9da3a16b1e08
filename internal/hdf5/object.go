package hdf5

import "fmt"

// The types of header messages that are read.
const (
	msgDataspace     = 0x01
	msgLinkInfo      = 0x02
	msgDatatype      = 0x03
	msgOldFill       = 0x04
	msgFill          = 0x05
	msgLink          = 0x06
	msgExternal      = 0x07
	msgLayout        = 0x08
	msgFilters       = 0x0b
	msgAttribute     = 0x0c
	msgContinuation  = 0x10
	msgSymbolTable   = 0x11
	msgAttributeInfo = 0x15
)

// message is one entry of an object header.
type message struct {
	kind  int
	flags int
	data  []byte
}

// shared reports whether the message only refers to one stored elsewhere.
func (m message) shared() bool { return m.flags&2 != 0 }

// object is a parsed object header: the messages that describe a group, a
// dataset or a committed datatype.
type object struct {
	address  uint64
	messages []message
}

// first returns the first message of a kind.
func (o *object) first(kind int) (message, bool) {
	for _, m := range o.messages {
		if m.kind == kind {
			return m, true
		}
	}
	return message{}, false
}

func (o *object) isGroup() bool {
	_, old := o.first(msgSymbolTable)
	_, dense := o.first(msgLinkInfo)
	_, compact := o.first(msgLink)
	return old || dense || compact
}

// cursor returns a cursor on a message.
func (o *object) cursor(m message, what string) *cursor {
	return &cursor{b: m.data, what: fmt.Sprintf("%s of the object at %#x", what, o.address)}
}

// object reads the object header at an address, once.
func (f *File) object(address uint64) (*object, error) {
	f.mu.Lock()
	o := f.objects[address]
	f.mu.Unlock()
	if o != nil {
		return o, nil
	}
	o, err := f.readObject(address)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects[address] = o
	return o, nil
}

func (f *File) readObject(address uint64) (*object, error) {
	c, err := f.block(address, 6, "object header")
	if err != nil {
		return nil, err
	}
	p := &headerParser{f: f, o: &object{address: address}, seen: map[uint64]bool{address: true}}
	if string(c.b[:4]) == "OHDR" {
		err = p.readNew(address, c.b[5])
	} else {
		err = p.readOld(address)
	}
	if err != nil {
		return nil, err
	}
	return p.o, nil
}

// headerParser collects the messages of an object header from its first block
// and the continuation blocks.
type headerParser struct {
	f     *File
	o     *object
	seen  map[uint64]bool
	next  []extent // continuation blocks to read
	order bool     // new headers: messages carry a creation order
}

type extent struct{ address, size uint64 }

// readOld reads a header of version 1.
func (p *headerParser) readOld(address uint64) error {
	c, err := p.f.block(address, 16, "object header")
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
	for len(p.next) > 0 {
		e := p.next[0]
		p.next = p.next[1:]
		c, err := p.f.block(e.address, e.size, "object header block")
		if err != nil {
			return err
		}
		for c.left() >= 8 && c.err == nil {
			kind, n, flags := c.u16(), c.u16(), c.u8()
			c.skip(3)
			p.add(c, message{kind, flags, c.bytes(n)})
		}
		if c.err != nil {
			return c.err
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
	c, err := p.f.block(address, uint64(prefix+width), "object header")
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
	if err := p.f.within(address, size); err != nil {
		return fmt.Errorf("%s: %w", c.what, err)
	}
	if c, err = p.f.block(address, uint64(prefix+width)+size+4, "object header"); err != nil {
		return err
	}
	c.skip(prefix + width)
	if err := p.messages(c); err != nil {
		return err
	}
	for len(p.next) > 0 {
		e := p.next[0]
		p.next = p.next[1:]
		c, err := p.f.block(e.address, e.size, "object header continuation")
		if err != nil {
			return err
		}
		c.signature("OCHK")
		if err := p.messages(c); err != nil {
			return err
		}
	}
	return nil
}

// messages reads the messages of a block of a new header up to its checksum.
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
		p.f.verify(c)
	}
	return c.err
}

// add keeps a message or, for a continuation, notes the block to read.
func (p *headerParser) add(c *cursor, m message) {
	if c.err != nil {
		return
	}
	if m.kind != msgContinuation {
		p.o.messages = append(p.o.messages, m)
		return
	}
	d := &cursor{b: m.data, what: c.what + ": continuation"}
	e := extent{p.f.address(d), p.f.length(d)}
	if p.seen[e.address] {
		d.fail("the block at %#x continues itself", e.address)
	}
	if c.err = d.err; c.err == nil {
		p.seen[e.address] = true
		p.next = append(p.next, e)
	}
}

// sharedMessage returns the message that a shared one refers to: the committed
// datatype of another object.
func (f *File) sharedMessage(o *object, m message) (message, error) {
	c := o.cursor(m, "shared message")
	version := c.version(1, 2, 3)
	kind := c.u8()
	if version == 1 {
		c.skip(6)
	}
	if version == 3 && kind == 1 {
		return message{}, fmt.Errorf("%s: messages shared through a heap of the file are not supported", c.what)
	}
	address := f.address(c)
	if c.err != nil {
		return message{}, c.err
	}
	if address == o.address {
		return message{}, fmt.Errorf("%s: refers to itself", c.what)
	}
	target, err := f.object(address)
	if err != nil {
		return message{}, err
	}
	found, ok := target.first(m.kind)
	if !ok || found.shared() {
		return message{}, fmt.Errorf("%s: the object at %#x has no such message", c.what, address)
	}
	return found, nil
}
