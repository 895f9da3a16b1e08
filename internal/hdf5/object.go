package hdf5

import "fmt"

// The types of header messages that this package reads.
const (
	msgNil           = 0x00 // unused space
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

// object returns the object header at an address. It keeps parsed headers as long as
// they have no more bytes than the file, as a damaged file may list more.
func (f *File) object(address uint64) (*object, error) {
	f.mu.Lock()
	o := f.objects[address]
	f.mu.Unlock()
	if o != nil {
		return o, nil
	}
	o, size, err := f.readObject(address)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.objects[address] == nil && f.kept.take(size) == nil {
		f.objects[address] = o
	}
	return o, nil
}

// message returns the first message of a kind, which may be shared and stored
// elsewhere.
func (f *File) message(o *object, kind int) (message, bool, error) {
	m, ok := o.first(kind)
	if !ok || !m.shared() {
		return m, ok, nil
	}
	m, err := f.sharedMessage(o, m)
	return m, err == nil, err
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
