package store

import (
	"github.com/prometheus/client_golang/prometheus"
	"gorm.io/gorm"
)

var (
	statementsDesc = prometheus.NewDesc("aerie_db_statements_total", "SQL statements.", nil, nil)
	commitsDesc    = prometheus.NewDesc("aerie_db_commits_total", "Committed transactions.", nil, nil)
	openDesc       = prometheus.NewDesc("aerie_db_connections", "Open connections.", []string{"pool", "state"}, nil)
	waitsDesc      = prometheus.NewDesc("aerie_db_waits_total", "Times that a connection had to be waited for.", []string{"pool"}, nil)
	waitedDesc     = prometheus.NewDesc("aerie_db_wait_seconds_total", "Time spent waiting for a connection.", []string{"pool"}, nil)
)

// Describe makes the database a Prometheus collector.
func (db *DB) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{statementsDesc, commitsDesc, openDesc, waitsDesc, waitedDesc} {
		ch <- d
	}
}

// Collect gives Prometheus the database's figures.
func (db *DB) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(statementsDesc, prometheus.CounterValue, float64(db.Statements()))
	ch <- prometheus.MustNewConstMetric(commitsDesc, prometheus.CounterValue, float64(db.Commits()))
	db.collectPool(ch, "write", db.write)
	if db.read != db.write {
		db.collectPool(ch, "read", db.read)
	}
}

func (db *DB) collectPool(ch chan<- prometheus.Metric, name string, g *gorm.DB) {
	pool, err := g.DB()
	if err != nil {
		return
	}
	s := pool.Stats()
	ch <- prometheus.MustNewConstMetric(openDesc, prometheus.GaugeValue, float64(s.InUse), name, "busy")
	ch <- prometheus.MustNewConstMetric(openDesc, prometheus.GaugeValue, float64(s.Idle), name, "idle")
	ch <- prometheus.MustNewConstMetric(waitsDesc, prometheus.CounterValue, float64(s.WaitCount), name)
	ch <- prometheus.MustNewConstMetric(waitedDesc, prometheus.CounterValue, s.WaitDuration.Seconds(), name)
}
