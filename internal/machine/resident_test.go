package machine

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// TestResident: a large array that is written counts in the peak, also after it is freed, until
// the peak is reset.
func TestResident(t *testing.T) {
	if err := ResetPeak(); err != nil {
		t.Skip(err)
	}
	before, _, err := Resident()
	if err != nil {
		t.Fatal(err)
	}
	const size = 256 << 20
	written := make([]byte, size)
	for i := range written {
		written[i] = 1
	}
	runtime.KeepAlive(written)
	written = nil
	debug.FreeOSMemory()
	now, peak, err := Resident()
	if err != nil {
		t.Fatal(err)
	}
	if peak < before+size/2 || now > peak-size/2 {
		t.Errorf("expected a peak of %d bytes more than %d and less after it, got %d and %d", size, before, peak, now)
	}
	if err := ResetPeak(); err != nil {
		t.Fatal(err)
	}
	if _, after, err := Resident(); err != nil || after > peak-size/2 {
		t.Errorf("expected a peak below %d bytes after a reset, got %d, %v", peak-size/2, after, err)
	}
}
