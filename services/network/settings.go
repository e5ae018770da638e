package network

import (
	"time"

	"aerie/services/config"
)

// Settings are the global settings of networks.
type Settings struct {
	gcWait     config.Value[time.Duration]
	gcInterval config.Value[time.Duration]
}

// DeclareSettings declares the settings of networks, under CloudStack's names.
func DeclareSettings(c *config.Service) *Settings {
	return &Settings{
		gcWait:     c.Duration("network.gc.wait", "Network", 10*time.Minute, time.Second),
		gcInterval: c.Duration("network.gc.interval", "Network", 10*time.Minute, time.Second),
	}
}
