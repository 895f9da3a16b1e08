package serve

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// admit returns a ticket.
func admit(t *testing.T, q *queue, client string) *ticket {
	t.Helper()
	ticket, err := q.enter(client)
	require.NoError(t, err)
	require.NoError(t, ticket.admit())
	return ticket
}

// cost ends a turn as if it had lasted the given seconds.
func (t *turn) cost(seconds float64) {
	t.begin = time.Now().Add(-time.Duration(seconds * float64(time.Second)))
	t.end()
}

// TestFair: one worker, a client with five forecasts of costly steps and two clients
// with one forecast of cheap steps each. The client that has used the least time is
// next.
func TestFair(t *testing.T) {
	q := newQueue(Options{Workers: 1, Queue: 10, Share: 5})
	hold, err := admit(t, q, "hold").turn(context.Background())
	require.NoError(t, err)
	type grant struct {
		name string
		turn *turn
	}
	grants := make(chan grant)
	want := func(name string, tickets int) {
		for range tickets {
			ticket := admit(t, q, name)
			go func() {
				for range 4 {
					turn, err := ticket.turn(context.Background())
					if assert.NoError(t, err) {
						grants <- grant{name, turn}
					}
				}
			}()
		}
	}
	want("many", 5)
	want("b", 1)
	want("c", 1)
	eventually(t, "all wait", func() bool { return q.stats().waiting == 7 })
	hold.end()
	var order strings.Builder
	for range 28 {
		g := <-grants
		order.WriteString(g.name[:1])
		if g.name == "many" {
			g.turn.cost(2)
		} else {
			g.turn.cost(1)
		}
		// The served client asks again before the next turn is granted.
		time.Sleep(time.Millisecond)
	}
	head := order.String()[:12]
	assert.Equal(t, 4, strings.Count(head, "b"), order.String())
	assert.Equal(t, 4, strings.Count(head, "c"), order.String())
}

// TestLeavingWipesNoSlate: a returning client starts with the others' used time. It has
// neither a debt for its earlier use nor a credit for idle time.
func TestLeavingWipesNoSlate(t *testing.T) {
	q := newQueue(Options{Workers: 1, Queue: 10, Share: 5})
	a := admit(t, q, "a")
	turn, err := a.turn(context.Background())
	require.NoError(t, err)
	turn.cost(100)
	a.close()
	assert.Empty(t, q.clients)
	b := admit(t, q, "b")
	assert.InDelta(t, 100, b.client.used, 1)
	again := admit(t, q, "a")
	assert.InDelta(t, 100, again.client.used, 1)
}

// TestTurnCancelled: a forecast that stops waiting releases its worker, even if it is
// granted at the same moment.
func TestTurnCancelled(t *testing.T) {
	q := newQueue(Options{Workers: 2, Queue: 100, Share: 100})
	var group sync.WaitGroup
	for i := range 50 {
		ticket := admit(t, q, "x")
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		group.Go(func() {
			defer ticket.close()
			defer ticket.close() // a second call does nothing
			for range 50 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(200))*time.Microsecond)
				if turn, err := ticket.turn(ctx); err == nil {
					assert.LessOrEqual(t, q.stats().working, 2)
					turn.end()
					assert.Zero(t, turn.end())
				} else {
					assert.True(t, errors.Is(err, context.DeadlineExceeded))
				}
				cancel()
			}
		})
	}
	group.Wait()
	assert.Equal(t, load{}, q.stats())
	assert.Empty(t, q.clients)
	<-q.stop()
	_, err := q.enter("x")
	assert.Equal(t, errClosed, err)
}

// TestRetryAfter: the time grows with the number of admitted forecasts and is bounded.
func TestRetryAfter(t *testing.T) {
	q := newQueue(Options{Workers: 2, Queue: 100, Share: 100})
	assert.Equal(t, 1, q.retryAfter())
	for range 20 {
		admit(t, q, "x")
	}
	q.mean = 0.6
	assert.Equal(t, 6, q.retryAfter())
	q.mean = 60
	assert.Equal(t, 30, q.retryAfter())
}
