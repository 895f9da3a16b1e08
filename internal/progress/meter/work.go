package meter

import (
	"fmt"
	"strings"
	"time"
)

// Bytes is the unit whose counts are printed in kB, MB and GB.
const Bytes = "bytes"

// work is a piece of work and its progress.
type work struct {
	name, unit, note string
	at, total        int64
	began            time.Time
	// first is the count of the first call of set, and since its time.
	first int64
	since time.Time
}

func begin(name, unit string) work { return work{name: name, unit: unit, began: time.Now()} }

// set stores a count.
func (w *work) set(at, total int64) {
	if w.since.IsZero() {
		w.first, w.since = at, time.Now()
	}
	w.at, w.total = at, total
}

// line describes the progress and the remaining time.
func (w *work) line() string {
	parts := w.counts()
	parts = append(parts, short(time.Since(w.began))+" so far")
	if left, ok := w.left(); ok {
		parts = append(parts, "about "+short(left)+" left")
	} else {
		parts = append(parts, "time left unknown")
	}
	return w.name + ": " + strings.Join(parts, ", ")
}

// brief is a short form of line for terminals, where the bar shows the fraction.
func (w *work) brief() string {
	text := w.name
	if w.total > 0 {
		text += fmt.Sprintf(" %s/%s%s", w.amount(w.at), w.amount(w.total), w.plural())
	}
	if w.note != "" {
		text += ", " + w.note
	}
	if left, ok := w.left(); ok {
		return text + ", " + short(left) + " left"
	}
	return text + ", " + short(time.Since(w.began)) + " so far"
}

// last describes the final state.
func (w *work) last() string {
	return w.name + ": " + strings.Join(append(w.counts(), "ended after "+short(time.Since(w.began))), ", ")
}

// counts returns the count and the note.
func (w *work) counts() []string {
	var out []string
	switch {
	case w.total > 0:
		out = append(out, fmt.Sprintf("%s of %s (%d %%)", w.amount(w.at), w.amount(w.total)+w.plural(), 100*w.at/w.total))
	case w.at > 0:
		out = append(out, w.amount(w.at)+w.plural())
	}
	if w.note != "" {
		out = append(out, w.note)
	}
	return out
}

// plural returns the unit for the end of a count; amounts of bytes include their unit.
func (w *work) plural() string {
	if w.unit == Bytes || w.unit == "" {
		return ""
	}
	return " " + w.unit
}

// left estimates the remaining time at the pace since the first count.
func (w *work) left() (time.Duration, bool) {
	made := w.at - w.first
	if w.total <= 0 || made <= 0 {
		return 0, false
	}
	pace := float64(time.Since(w.since)) / float64(made)
	return time.Duration(pace * float64(max(w.total-w.at, 0))), true
}

// amount prints a count.
func (w *work) amount(n int64) string {
	if w.unit != Bytes {
		return fmt.Sprint(n)
	}
	x := float64(n)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if x < 1000 {
			return fmt.Sprintf("%.3g %s", x, unit)
		}
		x /= 1000
	}
	return fmt.Sprintf("%.2f TB", x)
}

// short formats a time with at most two units: 42s, 3m10s, 2h05m, 3d04h.
func short(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 24*3600:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
}
