package netns

import (
	"testing"

	"aerie/drivers"
	"aerie/drivers/drivertest"
)

func TestConformance(t *testing.T) {
	w := newWorld(t)
	w.public()
	drivertest.Run(t, drivertest.Rig{
		Open:   func(testing.TB) drivers.Driver { return w.open() },
		Bridge: "pub0",
	})
}
