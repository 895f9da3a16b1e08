package serve

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are the values of /metrics. They have a separate registry, so that a process
// can run several servers.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	refused   *prometheus.CounterVec
	ended     *prometheus.CounterVec
	steps     prometheus.Counter
	stepTime  prometheus.Histogram
	turnTime  prometheus.Histogram
	panics    prometheus.Counter
	sentBytes prometheus.Counter
	// own lists all of them, without those of the process.
	own []prometheus.Collector
}

const namespace = "walrus"

func newMetrics(q *queue, b *budget, programs func() int) *metrics {
	count := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, f)
	}
	histogram := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.001, 2, 17)})
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: count("requests_total", "Requests answered, by endpoint and status.", "endpoint", "code"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: "request_seconds",
			Help: "Time from the first byte of a request to the end of its answer.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 17)}, []string{"endpoint"}),
		refused:   count("refused_total", "Requests refused before any work: queue full, client's share used up, memory used up, draining, loading.", "reason"),
		ended:     count("forecasts_total", "Forecasts that were admitted, by how they ended: done, invalid, client, timeout, shutdown, failed.", "end"),
		steps:     count("steps_total", "Steps forecast.").WithLabelValues(),
		stepTime:  histogram("step_seconds", "Time that one step of a forecast held a worker."),
		turnTime:  histogram("turn_wait_seconds", "Time that one step waited for a worker."),
		panics:    count("panics_total", "Requests whose handling panicked; each was answered with 500.").WithLabelValues(),
		sentBytes: count("response_bytes_total", "Bytes of answers sent.").WithLabelValues(),
	}
	m.own = []prometheus.Collector{m.requests, m.seconds, m.refused, m.ended, m.steps, m.stepTime, m.turnTime, m.panics, m.sentBytes,
		gauge("admitted", "Forecasts admitted and not yet ended.", func() float64 { return float64(q.stats().admitted) }),
		gauge("waiting", "Forecasts that wait for a worker.", func() float64 { return float64(q.stats().waiting) }),
		gauge("working", "Workers that are busy.", func() float64 { return float64(q.stats().working) }),
		gauge("request_bytes", "Memory charged to the values of requests in flight.", func() float64 { return float64(b.bytes()) }),
		gauge("programs", "Compiled programs that the emulator holds, one for each shape of request.", func() float64 { return float64(programs()) }),
	}
	m.registry.MustRegister(m.own...)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// registerWith registers the metrics with the registry of a program.
func (m *metrics) registerWith(r prometheus.Registerer) error {
	for i, c := range m.own {
		if err := r.Register(c); err != nil {
			for _, done := range m.own[:i] {
				r.Unregister(done)
			}
			return fmt.Errorf("serve: options: Registerer: expected a registry without the metrics walrus_…; wrap it (prometheus.WrapRegistererWith) for each of several servers: %w", err)
		}
	}
	return nil
}

// unregisterFrom undoes registerWith.
func (m *metrics) unregisterFrom(r prometheus.Registerer) {
	for _, c := range m.own {
		r.Unregister(c)
	}
}

// observe records a step that held a worker for d.
func (m *metrics) observe(d time.Duration) {
	m.steps.Inc()
	m.stepTime.Observe(d.Seconds())
}
