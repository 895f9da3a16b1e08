package machine

import "time"

// Usage is what the process has used since its start.
type Usage struct {
	// CPU is the processor time of all threads.
	CPU time.Duration
	// Peak is the largest resident memory in bytes.
	Peak int64
}
