package train

import (
	"context"
	"math/rand/v2"
	"sync"

	"github.com/gowalrus/gowalrus/augment"
	"github.com/gowalrus/gowalrus/data"
)

// feed reads the micro-batches of an epoch ahead of the trainer.
type feed struct {
	o      RunOptions
	loader *data.Loader
	group  int
	epoch  uint64
	step   int // micro-batches returned by next
	held   []*data.Window

	mu    sync.Mutex
	asked []data.Draw // micro-batches requested and not yet returned, in order
}

func newFeed(ctx context.Context, o RunOptions, group int, m *data.Mixture, consumed int) *feed {
	f := &feed{o: o, group: group, epoch: m.State().Epoch, step: consumed}
	var draw data.Draw
	next := func() (data.Request, bool) {
		if len(draw.Spans) == 0 {
			var ok bool
			if draw, ok = m.Next(); !ok {
				return data.Request{}, false
			}
			f.mu.Lock()
			f.asked = append(f.asked, draw)
			f.mu.Unlock()
		}
		span := draw.Spans[0]
		draw.Spans = draw.Spans[1:]
		return data.Request{Dataset: o.Systems[draw.System].Train, Span: span}, true
	}
	f.loader = data.NewLoader(ctx, next, o.Loader)
	return f
}

// next returns the next micro-batch, with its windows rotated.
func (f *feed) next() (*Batch, error) {
	w, _, err := f.loader.Next()
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	draw := f.asked[0]
	f.asked = f.asked[1:]
	f.mu.Unlock()
	s := f.o.Systems[draw.System]
	// The draws for a micro-batch depend only on its position in the epoch, so that a
	// resumed run has the same draws.
	rng := rand.New(rand.NewPCG(f.o.Trainer.Seed<<32|f.epoch, (0x7475726e^uint64(f.group))<<32|uint64(f.step)))
	f.step++
	b := &Batch{Statistics: s.Statistics}
	turn := augment.Identity()
	if s.Rotations != nil {
		turn = augment.Random(rng, s.Rotations)
	}
	for {
		f.held = append(f.held, w)
		turned, err := turn.Window(w)
		if err != nil {
			return nil, err
		}
		b.Windows = append(b.Windows, turned)
		if len(b.Windows) == len(draw.Spans) {
			return b, nil
		}
		if w, _, err = f.loader.Next(); err != nil {
			return nil, err
		}
	}
}

// release returns the windows of the last micro-batch to the loader.
func (f *feed) release() {
	for _, w := range f.held {
		f.loader.Release(w)
	}
	f.held = f.held[:0]
}

func (f *feed) close() { f.loader.Close() }
