package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aerie/drivers"
)

// doors times the commands and the calls of drivers; jobs time themselves.
type doors struct{ commands, calls *prometheus.HistogramVec }

func newDoors() doors {
	return doors{
		commands: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aerie_command_seconds", Help: "Time of API commands, by the kind of their answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}, []string{"command", "kind"}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aerie_driver_seconds", Help: "Time of calls to hosts, by the kind of their answer.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10, 60},
		}, []string{"method", "kind"}),
	}
}

func (d doors) command(_ context.Context, name, kind string, took time.Duration) {
	d.commands.WithLabelValues(name, kind).Observe(took.Seconds())
}

func (d doors) call(method string, took time.Duration, err error) {
	kind := "ok"
	if err != nil {
		kind = string(drivers.KindOf(err))
	}
	d.calls.WithLabelValues(method, kind).Observe(took.Seconds())
}
