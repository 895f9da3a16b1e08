package hub

import "sync"

// tally sums the progress of the downloads of one call.
type tally struct {
	mu   sync.Mutex
	tell func(Progress)
	done map[string]int64
	all  int64 // sum of done
	size int64
}

func newTally(tell func(Progress), files []File) *tally {
	t := &tally{tell: tell, done: map[string]int64{}}
	for _, f := range files {
		t.size += f.Size
	}
	return t
}

// report records that done bytes of a file are in the cache.
func (t *tally) report(f File, done int64) {
	if t.tell == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all += done - t.done[f.Path]
	t.done[f.Path] = done
	t.tell(Progress{Path: f.Path, Done: done, Size: f.Size, AllDone: t.all, AllSize: t.size})
}
