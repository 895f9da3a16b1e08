package meter

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// lines is a file that two goroutines may write to.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.TrimSuffix(l.b.String(), "\n")
	l.b.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// TestMeter runs a meter with a fake clock: it prints lines every ten seconds, whether
// the work advances or not.
func TestMeter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		m := New(&out, "shear_flow", "frames")
		m.Set(0, 400)
		time.Sleep(Every - time.Second)
		require.Empty(t, out.take(), "nothing within ten seconds")
		time.Sleep(2 * time.Second)
		require.Equal(t, []string{"shear_flow: 0 of 400 frames (0 %), 10s so far, time left unknown"}, out.take())
		m.Set(100, 400) // after 11 s
		m.Note("loss %.2f", 0.25)
		require.Equal(t, "shear_flow 100/400 frames, loss 0.25, 33s left", m.brief())
		time.Sleep(Every)
		require.Equal(t, []string{"shear_flow: 100 of 400 frames (25 %), loss 0.25, 20s so far, about 1m00s left"}, out.take())
		time.Sleep(10 * Every)
		require.Len(t, out.take(), 10, "a frame that takes long")
		m.Close()
		require.Equal(t, []string{"shear_flow: 100 of 400 frames (25 %), loss 0.25, ended after 2m01s"}, out.take())
		m.Close()
		require.Empty(t, out.take())
	})
}

// TestMeterResumed: the estimate excludes units that were done before the first call.
func TestMeterResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		m := New(&out, "training", "updates")
		m.Set(9000, 10000)
		time.Sleep(5 * time.Second)
		m.Set(9100, 10000)
		time.Sleep(5*time.Second + 1)
		require.Equal(t, []string{"training: 9100 of 10000 updates (91 %), 10s so far, about 1m30s left"}, out.take())
		m.Close()
		require.Equal(t, []string{"training: 9100 of 10000 updates (91 %), ended after 10s"}, out.take())
	})
}

// TestMeterShort: short work prints only its last line, and lines of other writers are
// kept.
func TestMeterShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		m := New(&out, "a", "frames")
		time.Sleep(9 * time.Second)
		require.NoError(t, m.Print(&out, "hello"))
		m.Close()
		require.Equal(t, []string{"hello"}, out.take(), "nothing was counted")
		m = New(&out, "a", "frames")
		m.SetInt(0, 2)
		m.SetInt(2, 2)
		_, err := m.Write([]byte("a log\n"))
		require.NoError(t, err)
		m.Close()
		require.Equal(t, []string{"a log", "a: 2 of 2 frames (100 %), ended after 0s"}, out.take())
	})
	var none *Meter
	var out lines
	none.Set(1, 2)
	none.Note("x")
	none.Close()
	require.NoError(t, none.Print(&out, "hello"))
	require.Equal(t, []string{"hello"}, out.take())
}

// TestMeterUnknown: work of unknown size shows its duration so far.
func TestMeterUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lines
		m := New(&out, "statistics", "")
		time.Sleep(Every + 1)
		require.Equal(t, []string{"statistics: 10s so far, time left unknown"}, out.take())
		require.Equal(t, "statistics, 10s so far", m.brief())
		m.Close()
		require.Equal(t, []string{"statistics: ended after 10s"}, out.take())
	})
}

func TestAmounts(t *testing.T) {
	for want, d := range map[string]time.Duration{"0s": 0, "42s": 42 * time.Second, "1m00s": 59*time.Second + 600*time.Millisecond,
		"3m09s": 189 * time.Second, "2h05m": 125 * time.Minute, "3d04h": 76*time.Hour + 10*time.Minute} {
		require.Equal(t, want, short(d))
	}
	w := work{name: "weights", unit: Bytes, at: 2_500_000, total: 5_140_000_000}
	require.Equal(t, []string{"2.5 MB of 5.14 GB (0 %)"}, w.counts())
}
