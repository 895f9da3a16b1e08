package machine

import (
	"errors"
	"testing"
)

// TestUsed: a loop adds CPU time, and a large array that is written counts as memory.
func TestUsed(t *testing.T) {
	before, err := Used()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("the system has no getrusage")
	}
	if err != nil {
		t.Fatal(err)
	}
	written := make([]byte, 64<<20)
	after := before
	for after.CPU == before.CPU {
		for i := range written {
			written[i]++
		}
		if after, err = Used(); err != nil {
			t.Fatal(err)
		}
	}
	if after.CPU < before.CPU || after.Peak < int64(len(written)) {
		t.Errorf("expected more CPU time than %v and a peak of at least %d bytes, got %+v", before.CPU, len(written), after)
	}
}
