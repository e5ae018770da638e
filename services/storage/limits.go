package storage

import (
	"aerie/drivers"
	"aerie/services/fault"
)

// Limits are the columns of an offering that say what its disks may do in a
// second, and how a host caches them.
type Limits struct {
	BytesRead        int64
	BytesReadMax     int64
	BytesReadLength  int64 // seconds
	BytesWrite       int64
	BytesWriteMax    int64
	BytesWriteLength int64
	IOPSRead         int64  `gorm:"column:iops_read"`
	IOPSReadMax      int64  `gorm:"column:iops_read_max"`
	IOPSReadLength   int64  `gorm:"column:iops_read_length"`
	IOPSWrite        int64  `gorm:"column:iops_write"`
	IOPSWriteMax     int64  `gorm:"column:iops_write_max"`
	IOPSWriteLength  int64  `gorm:"column:iops_write_length"`
	MaxIOPS          int64  `gorm:"column:max_iops"` // reads and writes together
	CacheMode        string // "" is none
}

// Apply sets what the limits say of a disk as a machine plugs it in.
func (l Limits) Apply(d *drivers.VMDisk) {
	d.Cache = l.CacheMode
	d.Limits = drivers.DiskLimits{
		ReadBytes:  drivers.Rate{Sustained: l.BytesRead, Burst: l.BytesReadMax, Seconds: l.BytesReadLength},
		WriteBytes: drivers.Rate{Sustained: l.BytesWrite, Burst: l.BytesWriteMax, Seconds: l.BytesWriteLength},
		ReadOps:    drivers.Rate{Sustained: l.IOPSRead, Burst: l.IOPSReadMax, Seconds: l.IOPSReadLength},
		WriteOps:   drivers.Rate{Sustained: l.IOPSWrite, Burst: l.IOPSWriteMax, Seconds: l.IOPSWriteLength},
		TotalOps:   l.MaxIOPS,
	}
}

// RateRequest is embedded by requests that limit what disks do.
type RateRequest struct {
	BytesRead        *int64 `json:"bytesreadrate" min:"0" max:"1000000000000" doc:"most bytes read in a second"`
	BytesReadMax     *int64 `json:"bytesreadratemax" min:"0" max:"1000000000000" doc:"most bytes read in a second of a burst"`
	BytesReadLength  *int64 `json:"bytesreadratemaxlength" min:"0" max:"86400" doc:"seconds that a burst of reading lasts"`
	BytesWrite       *int64 `json:"byteswriterate" min:"0" max:"1000000000000" doc:"most bytes written in a second"`
	BytesWriteMax    *int64 `json:"byteswriteratemax" min:"0" max:"1000000000000" doc:"most bytes written in a second of a burst"`
	BytesWriteLength *int64 `json:"byteswriteratemaxlength" min:"0" max:"86400" doc:"seconds that a burst of writing lasts"`
	IOPSRead         *int64 `json:"iopsreadrate" min:"0" max:"1000000000" doc:"most read operations in a second"`
	IOPSReadMax      *int64 `json:"iopsreadratemax" min:"0" max:"1000000000" doc:"most read operations in a second of a burst"`
	IOPSReadLength   *int64 `json:"iopsreadratemaxlength" min:"0" max:"86400" doc:"seconds that a burst of read operations lasts"`
	IOPSWrite        *int64 `json:"iopswriterate" min:"0" max:"1000000000" doc:"most write operations in a second"`
	IOPSWriteMax     *int64 `json:"iopswriteratemax" min:"0" max:"1000000000" doc:"most write operations in a second of a burst"`
	IOPSWriteLength  *int64 `json:"iopswriteratemaxlength" min:"0" max:"86400" doc:"seconds that a burst of write operations lasts"`
	CacheMode        string `json:"cachemode" enum:"none,writeback,writethrough,hypervisor_default" doc:"how hosts cache writes: none, writeback, writethrough or hypervisor_default"`
}

// set is the columns that the request names, with where it keeps them.
func (r RateRequest) rates(l *Limits) []rate {
	return []rate{
		{"bytes_read", "bytesreadrate", r.BytesRead, &l.BytesRead},
		{"bytes_read_max", "bytesreadratemax", r.BytesReadMax, &l.BytesReadMax},
		{"bytes_read_length", "bytesreadratemaxlength", r.BytesReadLength, &l.BytesReadLength},
		{"bytes_write", "byteswriterate", r.BytesWrite, &l.BytesWrite},
		{"bytes_write_max", "byteswriteratemax", r.BytesWriteMax, &l.BytesWriteMax},
		{"bytes_write_length", "byteswriteratemaxlength", r.BytesWriteLength, &l.BytesWriteLength},
		{"iops_read", "iopsreadrate", r.IOPSRead, &l.IOPSRead},
		{"iops_read_max", "iopsreadratemax", r.IOPSReadMax, &l.IOPSReadMax},
		{"iops_read_length", "iopsreadratemaxlength", r.IOPSReadLength, &l.IOPSReadLength},
		{"iops_write", "iopswriterate", r.IOPSWrite, &l.IOPSWrite},
		{"iops_write_max", "iopswriteratemax", r.IOPSWriteMax, &l.IOPSWriteMax},
		{"iops_write_length", "iopswriteratemaxlength", r.IOPSWriteLength, &l.IOPSWriteLength},
	}
}

type rate struct {
	column, param string
	asked, into   *int64
}

// Into changes what the request names of the limits, and returns the columns.
// A burst is no less than the rate that it belongs to and does not last without
// one.
func (r RateRequest) Into(l *Limits) (map[string]any, error) {
	set := map[string]any{}
	all := r.rates(l)
	for _, x := range all {
		if x.asked != nil {
			*x.into, set[x.column] = *x.asked, *x.asked
		}
	}
	if r.CacheMode != "" {
		l.CacheMode = r.CacheMode
		if r.CacheMode == "none" || r.CacheMode == "hypervisor_default" {
			l.CacheMode = ""
		}
		set["cache_mode"] = l.CacheMode
	}
	for i := 0; i < len(all); i += 3 {
		sustained, burst, length := all[i], all[i+1], all[i+2]
		switch {
		case *burst.into > 0 && *burst.into < max(*sustained.into, 1), *burst.into > 0 && *sustained.into == 0:
			return nil, fault.Param(burst.param, "error.burst_below", "other", sustained.param)
		case *length.into > 0 && *burst.into == 0:
			return nil, fault.Param(length.param, "error.burst_length", "other", burst.param)
		}
	}
	if l.MaxIOPS > 0 && (l.IOPSRead > 0 || l.IOPSWrite > 0) {
		return nil, fault.Param("maxiops", "error.iops_twice")
	}
	return set, nil
}

// LimitsView is embedded by offerings as commands return them.
type LimitsView struct {
	BytesRead        int64  `json:"diskBytesReadRate,omitempty"`
	BytesReadMax     int64  `json:"diskBytesReadRateMax,omitempty"`
	BytesReadLength  int64  `json:"diskBytesReadRateMaxLength,omitempty"`
	BytesWrite       int64  `json:"diskBytesWriteRate,omitempty"`
	BytesWriteMax    int64  `json:"diskBytesWriteRateMax,omitempty"`
	BytesWriteLength int64  `json:"diskBytesWriteRateMaxLength,omitempty"`
	IOPSRead         int64  `json:"diskIopsReadRate,omitempty"`
	IOPSReadMax      int64  `json:"diskIopsReadRateMax,omitempty"`
	IOPSReadLength   int64  `json:"diskIopsReadRateMaxLength,omitempty"`
	IOPSWrite        int64  `json:"diskIopsWriteRate,omitempty"`
	IOPSWriteMax     int64  `json:"diskIopsWriteRateMax,omitempty"`
	IOPSWriteLength  int64  `json:"diskIopsWriteRateMaxLength,omitempty"`
	MinIOPS          int64  `json:"miniops,omitempty"`
	MaxIOPS          int64  `json:"maxiops,omitempty"`
	Reserve          int    `json:"hypervisorsnapshotreserve,omitempty"`
	CacheMode        string `json:"cacheMode"`
	Policy           string `json:"vspherestoragepolicy,omitempty"`
}

// View is the limits as commands return them.
func (l Limits) View() LimitsView {
	return LimitsView{
		BytesRead: l.BytesRead, BytesReadMax: l.BytesReadMax, BytesReadLength: l.BytesReadLength,
		BytesWrite: l.BytesWrite, BytesWriteMax: l.BytesWriteMax, BytesWriteLength: l.BytesWriteLength,
		IOPSRead: l.IOPSRead, IOPSReadMax: l.IOPSReadMax, IOPSReadLength: l.IOPSReadLength,
		IOPSWrite: l.IOPSWrite, IOPSWriteMax: l.IOPSWriteMax, IOPSWriteLength: l.IOPSWriteLength,
		MaxIOPS: l.MaxIOPS, CacheMode: or(l.CacheMode, "none"),
	}
}

// DiskRequest is embedded by requests that make an offering with disks.
type DiskRequest struct {
	RateRequest
	MaxIOPS        int64  `json:"maxiops" min:"0" max:"1000000000" doc:"most operations in a second, reads and writes together"`
	MinIOPS        int64  `json:"miniops" doc:"refused: no storage here can guarantee operations"`
	CustomizedIOPS bool   `json:"customizediops" doc:"refused: no storage here can guarantee operations"`
	Reserve        int    `json:"hypervisorsnapshotreserve" doc:"refused: there is no storage that keeps room for snapshots"`
	Policy         string `json:"storagepolicy" type:"uuid" doc:"refused: storage policies are of vSphere"`
	Provisioning   string `json:"provisioningtype" enum:"thin" doc:"thin"`
	StorageType    string `json:"storagetype" enum:"shared,local" doc:"shared or local"`
}

// Limits checks the request and returns what it limits.
func (r DiskRequest) Limits() (l Limits, err error) {
	for _, p := range []struct {
		name, key string
		asked     bool
	}{
		{"miniops", "error.no_min_iops", r.MinIOPS != 0},
		{"customizediops", "error.no_min_iops", r.CustomizedIOPS},
		{"hypervisorsnapshotreserve", "error.no_snapshot_reserve", r.Reserve != 0},
		{"storagepolicy", "error.no_storage_policy", r.Policy != ""},
	} {
		if p.asked {
			return l, fault.Param(p.name, p.key)
		}
	}
	l.MaxIOPS = r.MaxIOPS
	_, err = r.RateRequest.Into(&l)
	return l, err
}
