package serve

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options configure a Server. Zero values mean the defaults stated for each field.
type Options struct {
	// Workers is the number of steps that are computed at once: 2, so that one uses the
	// cores that the other leaves idle.
	Workers int
	// Queue is the number of forecasts that are admitted at once, running ones
	// included: 64.
	Queue int
	// Share is the number of requests that one client may have at once, those included
	// whose bodies are being read: 8.
	Share int
	// Timeout is the longest time from the request to the end of its answer: 2 minutes.
	Timeout time.Duration
	// BodyTimeout is the longest time for a client to send its request, WriteTimeout
	// the longest time to receive a piece of the answer: 15 s each.
	BodyTimeout, WriteTimeout time.Duration
	// Grace is how long [Server.Serve] lets admitted forecasts go on after its context
	// has ended: 20 s.
	Grace time.Duration
	// MaxBody is the longest body in bytes: 8 MiB.
	MaxBody int64
	// MaxPoints, MaxChannels, MaxHistory and MaxSteps limit a forecast: 65536 points,
	// 32 channels, 16 frames of history, 200 steps.
	MaxPoints, MaxChannels, MaxHistory, MaxSteps int
	// MaxMembers limits the members of an ensemble, whose steps are computed in one turn: 8.
	MaxMembers int
	// MaxTokens limits the tokens of a frame, since the time of attention over space is
	// proportional to their square: 4096.
	MaxTokens int
	// MaxValues limits the numbers of a JSON answer, which is kept in memory until its
	// end, and of a history: 2^21.
	MaxValues int
	// MaxMemory is the number of bytes that the values of all requests in flight may take,
	// and of answers as one JSON object: 64 MiB. One client may have Share/Queue of it, but
	// always enough for one request.
	MaxMemory int64
	// Proxy says that a proxy in front adds the client to X-Forwarded-For; otherwise
	// the header is ignored.
	Proxy bool
	// Hosts lists the names, without port, under which clients may address the server, or
	// "*" for any. IP addresses, localhost and names that end in .localhost are always
	// accepted. The check keeps a web page from reaching the server through a name that
	// its owner points at the server's address (DNS rebinding).
	Hosts []string
	// Origins lists the origins, "https://example.org", of web pages that may call the
	// server besides its own page.
	Origins []string
	// Token is the bearer token that requests to /v1/… and /metrics must have:
	// "Authorization: Bearer …". The page asks for it. "" means that no token is needed.
	Token string
	// Registerer gets the server's metrics until Close, besides /metrics. nil means none.
	Registerer prometheus.Registerer
	// Log receives a record for every request; nil means none.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	number := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	number(&o.Workers, 2)
	number(&o.Queue, 64)
	number(&o.Share, 8)
	number(&o.MaxPoints, 1<<16)
	number(&o.MaxChannels, 32)
	number(&o.MaxHistory, 16)
	number(&o.MaxSteps, 200)
	number(&o.MaxTokens, 4096)
	number(&o.MaxMembers, 8)
	number(&o.MaxValues, 1<<21)
	duration := func(p *time.Duration, v time.Duration) {
		if *p == 0 {
			*p = v
		}
	}
	duration(&o.Timeout, 2*time.Minute)
	duration(&o.BodyTimeout, 15*time.Second)
	duration(&o.WriteTimeout, 15*time.Second)
	duration(&o.Grace, 20*time.Second)
	if o.MaxBody == 0 {
		o.MaxBody = 8 << 20
	}
	if o.MaxMemory == 0 {
		o.MaxMemory = 64 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Validate checks that no limit is negative and that the limits are consistent.
func (o Options) Validate() error {
	o = o.withDefaults()
	for _, c := range []struct {
		name  string
		value int64
	}{
		{"Workers", int64(o.Workers)}, {"Queue", int64(o.Queue)}, {"Share", int64(o.Share)}, {"Timeout", int64(o.Timeout)},
		{"BodyTimeout", int64(o.BodyTimeout)}, {"WriteTimeout", int64(o.WriteTimeout)}, {"Grace", int64(o.Grace)}, {"MaxBody", o.MaxBody},
		{"MaxPoints", int64(o.MaxPoints)}, {"MaxChannels", int64(o.MaxChannels)}, {"MaxHistory", int64(o.MaxHistory)},
		{"MaxSteps", int64(o.MaxSteps)}, {"MaxTokens", int64(o.MaxTokens)}, {"MaxMembers", int64(o.MaxMembers)}, {"MaxValues", int64(o.MaxValues)},
		{"MaxMemory", o.MaxMemory},
	} {
		if c.value < 1 {
			return fmt.Errorf("serve: options: %s: expected a positive number, got %d", c.name, c.value)
		}
	}
	if o.Share > o.Queue {
		return fmt.Errorf("serve: options: expected a share of at most the queue (%d), got %d", o.Queue, o.Share)
	}
	if least := o.largest(); o.MaxMemory < least {
		return fmt.Errorf("serve: options: MaxMemory: expected at least %d bytes, which one request may need (12 for each of MaxValues), got %d", least, o.MaxMemory)
	}
	if err := o.checkToken(); err != nil {
		return err
	}
	return o.checkNames()
}

// largest returns the bytes of the largest request and its answer: a history, constant
// fields and an answer of MaxValues each.
func (o Options) largest() int64 { return 3 * 4 * int64(o.MaxValues) }
