package job

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are per engine, so that several servers fit in one program.
type metrics struct {
	jobs  *prometheus.HistogramVec
	steps *prometheus.HistogramVec
}

var buckets = []float64{.001, .005, .02, .1, .5, 2, 10, 60, 300, 1800}

func newMetrics() *metrics {
	return &metrics{
		jobs: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aerie_job_seconds", Help: "Time from submit to end of jobs.", Buckets: buckets,
		}, []string{"kind", "status"}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aerie_job_step_seconds", Help: "Time of one try of a step.", Buckets: buckets,
		}, []string{"kind", "step", "state"}),
	}
}

func (m *metrics) step(kind, step, state string, took time.Duration) {
	m.steps.WithLabelValues(kind, step, state).Observe(took.Seconds())
}

func (m *metrics) ended(kind string, s Status, took time.Duration) {
	m.jobs.WithLabelValues(kind, string(s)).Observe(took.Seconds())
}

var working = prometheus.NewDesc("aerie_jobs_working", "Jobs in work on this server.", nil, nil)

// Describe makes the engine a Prometheus collector.
func (e *Engine) Describe(ch chan<- *prometheus.Desc) {
	e.metrics.jobs.Describe(ch)
	e.metrics.steps.Describe(ch)
	ch <- working
}

// Collect gives Prometheus the engine's figures.
func (e *Engine) Collect(ch chan<- prometheus.Metric) {
	e.metrics.jobs.Collect(ch)
	e.metrics.steps.Collect(ch)
	ch <- prometheus.MustNewConstMetric(working, prometheus.GaugeValue, float64(len(e.holding())))
}
