// Package meter says how far long work is: as a bar on a terminal, and everywhere else
// as a line at least every ten seconds, with an estimate of the time that is left.
//
//	m := meter.New(os.Stderr, "shear_flow", "frames")
//	defer m.Close()
//	m.Set(0, 400)
//	…
//	m.Set(1, 400)
//
// Lines come from a clock of the meter's own, so that work says where it is even while
// one frame takes minutes. Work that ends within ten seconds prints no line.
package meter

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Every is the longest time without a line, and Redraw that without a new bar.
const (
	Every  = 10 * time.Second
	Redraw = time.Second
)

// Meter says how far one piece of work after the other is. Its methods may be called
// from several goroutines. A nil meter says nothing.
type Meter struct {
	mu  sync.Mutex
	out io.Writer
	bar *progressbar.ProgressBar // nil but on a terminal
	// work is the piece of work in hand.
	work
	spoke bool // a line or a bar of this piece was printed
	stop  chan struct{}
	done  chan struct{}
}

// New returns a meter that prints to out about work of the given name, counted in the
// given unit; Bytes counts bytes. Close it.
func New(out io.Writer, name, unit string) *Meter {
	m := &Meter{out: out, stop: make(chan struct{}), done: make(chan struct{})}
	every := Every
	if isTerminal(out) {
		every = Redraw
		m.bar = progressbar.NewOptions64(1, progressbar.OptionSetWriter(out), progressbar.OptionSetWidth(12),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionThrottle(Redraw/4))
	}
	m.work = begin(name, unit)
	go m.tick(every)
	return m
}

// isTerminal reports whether what is written is read by a person at once.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// tick prints until the meter is closed.
func (m *Meter) tick(every time.Duration) {
	defer close(m.done)
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			m.mu.Lock()
			m.print()
			m.mu.Unlock()
		case <-m.stop:
			return
		}
	}
}

// Start begins another piece of work: name, counts and times start anew.
func (m *Meter) Start(name string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.finish()
	m.work = begin(name, m.unit)
}

// Set says that done of total units are done; total 0 means that nobody knows. The
// estimate counts from the first call, so call it before the work with the units that
// were done earlier.
func (m *Meter) Set(done, total int64) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(done, total)
	if m.bar != nil {
		m.print()
	}
}

// Note sets a remark that follows the counts, such as the loss of a training.
func (m *Meter) Note(format string, args ...any) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note = fmt.Sprintf(format, args...)
}

// Print prints a line to w, which may share the terminal with the bar.
func (m *Meter) Print(w io.Writer, line string) error {
	if m == nil {
		_, err := fmt.Fprintln(w, line)
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != nil {
		_ = m.bar.Clear()
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

// Close ends the work and the meter.
func (m *Meter) Close() {
	if m == nil {
		return
	}
	select {
	case <-m.stop:
		return
	default:
	}
	close(m.stop)
	<-m.done
	m.mu.Lock()
	defer m.mu.Unlock()
	m.finish()
}

// print prints the state. What cannot be printed stops no work.
func (m *Meter) print() {
	if m.bar == nil {
		fmt.Fprintln(m.out, m.line())
		m.spoke = true
		return
	}
	m.bar.ChangeMax64(max(m.total, 1))
	m.bar.Describe(m.line())
	_ = m.bar.Set64(min(m.at, max(m.total, 1)))
	m.spoke = true
}

// finish prints the end of a piece of work that had printed before.
func (m *Meter) finish() {
	if !m.spoke {
		return
	}
	m.spoke = false
	if m.bar != nil {
		_ = m.bar.Clear()
	}
	fmt.Fprintln(m.out, m.last())
}
