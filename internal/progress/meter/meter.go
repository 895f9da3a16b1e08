// Package meter shows the progress of long work: as a bar on a terminal, and elsewhere
// as a line at least every ten seconds, with an estimate of the remaining time.
//
//	m := meter.New(os.Stderr, "shear_flow", "frames")
//	defer m.Close()
//	m.Set(0, 400)
//	…
//	m.Set(1, 400)
//
// A clock of the meter prints the lines, so that they appear even while one frame takes
// minutes. Work that ends within ten seconds prints only its last line.
package meter

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Every is the longest time without a line, and Redraw the longest without a new bar.
const (
	Every  = 10 * time.Second
	Redraw = time.Second
)

// Meter shows the progress of a piece of work. Several goroutines may call its methods.
// A nil meter prints nothing.
type Meter struct {
	mu  sync.Mutex
	out io.Writer
	bar *progressbar.ProgressBar // nil unless on a terminal
	work
	spoke bool // a line or a bar was printed
	stop  chan struct{}
	done  chan struct{} // closed when tick has returned
}

// New returns a meter that prints to out about work of the given name, counted in the
// given unit; the unit Bytes counts bytes. The caller closes it.
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

// isTerminal reports whether out is a terminal.
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

// Set says that done of total units are done; total 0 means unknown. The estimate
// counts from the first call, so call Set before the work with the number of units that
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

// SetInt calls Set for callbacks that count in int.
func (m *Meter) SetInt(done, total int) { m.Set(int64(done), int64(total)) }

// Write prints the text of other writers to the same output, such as the lines of a
// log.
func (m *Meter) Write(text []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != nil {
		_ = m.bar.Clear()
	}
	return m.out.Write(text)
}

// Note sets a remark that is printed after the counts, such as the loss of a training.
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

// Close ends the meter. It prints a last line if anything was done or printed. A second
// call does nothing.
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
	if !m.spoke && m.at == m.first {
		return
	}
	if m.bar != nil {
		_ = m.bar.Clear()
	}
	fmt.Fprintln(m.out, m.last())
}

// print prints the state. It ignores errors, so that they do not stop the work.
func (m *Meter) print() {
	m.spoke = true
	if m.bar == nil {
		fmt.Fprintln(m.out, m.line())
		return
	}
	m.bar.ChangeMax64(max(m.total, 1))
	m.bar.Describe(m.brief())
	_ = m.bar.Set64(min(m.at, max(m.total, 1)))
}
