package torchpt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// machine executes one pickle on a stack.
type machine struct {
	text  []byte
	at    int
	stack []any
	marks []int // stack heights
	memo  map[uint32]any
	done  bool

	// open returns the archive's entry of a storage and checks its length.
	open     func(key, dtype string, elements int64) (*storage, error)
	tensors  int // number of tensors built so far
	expanded int // elements of tensors that repeat their storages
	bytes    int // bytes made from strings so far
}

// unpickle runs the pickle and returns its object.
func unpickle(text []byte, open func(key, dtype string, elements int64) (*storage, error)) (any, error) {
	m := &machine{text: text, memo: map[uint32]any{}, open: open}
	for steps := 0; !m.done; steps++ {
		start := m.at
		if steps == maxOpcodes {
			return nil, fmt.Errorf("expected at most %d opcodes, got more", maxOpcodes)
		}
		op, err := m.take(1)
		if err != nil {
			return nil, err
		}
		do := opcodes[op[0]]
		if do == nil {
			return nil, fmt.Errorf("pickle byte %d: refused: opcode %#02x (%q) is not among those of plain containers and tensors", start, op[0], op[0])
		}
		if err := do(m); err != nil {
			return nil, fmt.Errorf("pickle byte %d: %w", start, err)
		}
	}
	return m.result()
}

func (m *machine) result() (any, error) {
	if len(m.stack) != 1 || len(m.marks) != 0 {
		return nil, fmt.Errorf("pickle: expected one value at its end, got %d and %d open marks", len(m.stack), len(m.marks))
	}
	switch v := m.stack[0].(type) {
	case *class, *storage:
		return nil, fmt.Errorf("pickle: expected a value, got %s", kind(v))
	}
	return m.stack[0], nil
}

// take returns the next n bytes of the pickle without copying them.
func (m *machine) take(n uint64) ([]byte, error) {
	if left := uint64(len(m.text) - m.at); n > left {
		return nil, fmt.Errorf("expected %d more bytes of pickle, got %d (truncated?)", n, left)
	}
	b := m.text[m.at : m.at+int(n)]
	m.at += int(n)
	return b, nil
}

// count reads a little-endian unsigned number of 1, 4 or 8 bytes.
func (m *machine) count(width int) (uint64, error) {
	b, err := m.take(uint64(width))
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// line returns the text up to the next newline.
func (m *machine) line() (string, error) {
	rest := m.text[m.at:min(len(m.text), m.at+maxName+1)]
	n := bytes.IndexByte(rest, '\n')
	if n < 0 {
		return "", fmt.Errorf("expected a name of at most %d bytes and a newline", maxName)
	}
	m.at += n + 1
	return string(rest[:n]), nil
}

func (m *machine) push(v any) error {
	if len(m.stack) == maxStack {
		return fmt.Errorf("expected at most %d values on the stack, got more", maxStack)
	}
	m.stack = append(m.stack, v)
	return nil
}

// floor returns the height below which an opcode may not reach: the last mark.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) pop() (any, error) {
	vs, err := m.popN(1)
	if err != nil {
		return nil, err
	}
	return vs[0], nil
}

// popN removes the top n values. They are valid until the next push.
func (m *machine) popN(n int) ([]any, error) {
	if have := len(m.stack) - m.floor(); have < n {
		return nil, fmt.Errorf("expected %d values on the stack, got %d", n, have)
	}
	vs := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return vs, nil
}

// top returns the value on the top of the stack.
func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, errors.New("expected a value on the stack, got none")
	}
	return m.stack[len(m.stack)-1], nil
}

func (m *machine) mark() error {
	if len(m.marks) == maxMarks {
		return fmt.Errorf("expected at most %d nested marks, got more", maxMarks)
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

// popMark removes the values above the last mark, and the mark. They are
// valid until the next push.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("expected a mark on the stack, got none")
	}
	vs, err := m.popN(len(m.stack) - m.floor())
	m.marks = m.marks[:len(m.marks)-1]
	return vs, err
}

// put stores the top of the stack in the memo.
func (m *machine) put(i uint32) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if len(m.memo) >= maxMemo {
		return fmt.Errorf("expected at most %d remembered values, got more", maxMemo)
	}
	m.memo[i] = v
	return nil
}

// get pushes a value from the memo.
func (m *machine) get(i uint32) error {
	v, ok := m.memo[i]
	if !ok {
		return fmt.Errorf("expected a remembered value %d, got none of that number", i)
	}
	return m.push(v)
}

func (m *machine) dup() error {
	v, err := m.top()
	if err != nil {
		return err
	}
	return m.push(v)
}
