package lifetime_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/lifetime"
)

func TestClose(t *testing.T) {
	var u lifetime.Uses
	freed := 0
	free := func() { freed++ }
	require.True(t, u.Enter())
	require.True(t, u.Enter())
	require.False(t, u.Closed())
	u.Close(free) // during two uses
	u.Close(free)
	require.True(t, u.Closed())
	require.False(t, u.Enter())
	u.Leave()
	require.Zero(t, freed)
	require.False(t, u.Reopen())
	u.Leave()
	require.Equal(t, 1, freed)
	u.Close(free)
	require.Equal(t, 1, freed)
	require.True(t, u.Reopen())
	require.True(t, u.Enter())
	u.Close(free)
	u.Leave()
	require.Equal(t, 2, freed)
}

// TestConcurrentClose: no use begins after free, and free runs once.
func TestConcurrentClose(t *testing.T) {
	for range 100 {
		var u lifetime.Uses
		var freed atomic.Int32
		var late atomic.Bool
		var work sync.WaitGroup
		for range 8 {
			work.Go(func() {
				for u.Enter() {
					late.CompareAndSwap(false, freed.Load() > 0)
					u.Leave()
					if runtime.GOOS == "js" { // its one thread never interrupts a loop, so Close would not begin
						runtime.Gosched()
					}
				}
			})
		}
		work.Go(func() { u.Close(func() { freed.Add(1) }) })
		work.Wait()
		require.EqualValues(t, 1, freed.Load())
		require.False(t, late.Load())
	}
}
