package enginetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gowalrus/gowalrus/distributed"
)

// broadcasts sends bytes from every rank.
func broadcasts(e distributed.Engine) error {
	for root := range e.Size() {
		for _, n := range []int{0, 1, 5, 4097, 1<<20 - 1, 1 << 20, 1<<20 + 1, 4 << 20, 6<<20 + 3} {
			b := make([]byte, n+2)
			for i := range b {
				b[i] = letter(e.Rank(), i)
			}
			if err := e.Broadcast(root, b[1:n+1]); err != nil {
				return err
			}
			for i, got := range b {
				want := letter(root, i)
				if i == 0 || i == n+1 {
					want = letter(e.Rank(), i) // differs from the bytes that are sent
				}
				if got != want {
					return fmt.Errorf("%d bytes from rank %d: byte %d: expected %d, got %d", n, root, i-1, want, got)
				}
			}
		}
	}
	return nil
}

func letter(rank, i int) byte { return byte(i + i>>8*3 + 101*rank) }

// barriers delays every rank in turn and checks that no other rank passes before it.
// The processes share one clock.
func barriers(e distributed.Engine) error {
	for late := range e.Size() {
		came := make([]byte, 8)
		if late == e.Rank() {
			time.Sleep(20 * time.Millisecond)
			binary.LittleEndian.PutUint64(came, uint64(time.Now().UnixNano()))
		}
		if err := e.Barrier(context.Background()); err != nil {
			return err
		}
		passed := time.Now().UnixNano()
		if err := e.Broadcast(late, came); err != nil {
			return err
		}
		if at := int64(binary.LittleEndian.Uint64(came)); passed < at {
			return fmt.Errorf("rank %d passed %v before rank %d came", e.Rank(), time.Duration(at-passed), late)
		}
	}
	return nil
}

// endedBarrier calls Barrier with a context that has ended. The call must return the
// cause, and later calls must still meet those of the other ranks.
func endedBarrier(e distributed.Engine) error {
	why := errors.New("no time left")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	if err := e.Barrier(ctx); !errors.Is(err, why) && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("expected the context's error, got %v", err)
	}
	return overlapping(e)
}

// impatientBarrier lets rank 0 give up before the other ranks arrive.
func impatientBarrier(e distributed.Engine) error {
	switch {
	case e.Size() == 1:
		return nil
	case e.Rank() == 0:
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := e.Barrier(ctx); !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("expected the context's error, got %v", err)
		}
	default:
		time.Sleep(300 * time.Millisecond)
		if err := e.Barrier(context.Background()); err != nil {
			return err
		}
	}
	return overlapping(e)
}
