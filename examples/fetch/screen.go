package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/gowalrus/gowalrus/data/hub"
)

// screen shows a bar of all bytes of a download and, on lines of their own, what is
// logged meanwhile.
type screen struct {
	mu   sync.Mutex
	out  io.Writer
	name string
	bar  *progressbar.ProgressBar
}

func newScreen(out io.Writer, name string) *screen { return &screen{out: out, name: name} }

// progress draws the bar.
func (s *screen) progress(p hub.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar == nil {
		s.bar = progressbar.NewOptions64(p.AllSize, progressbar.OptionSetWriter(s.out), progressbar.OptionSetDescription(s.name),
			progressbar.OptionShowBytes(true), progressbar.OptionThrottle(200*time.Millisecond))
	}
	_ = s.bar.Set64(p.AllDone) // a bar that cannot be drawn is no reason to stop
}

// Write writes a line of the log below the bar.
func (s *screen) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil {
		if _, err := fmt.Fprintln(s.out); err != nil {
			return 0, err
		}
	}
	return s.out.Write(line)
}

// finish ends the line of the bar.
func (s *screen) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil {
		fmt.Fprintln(s.out)
	}
}
