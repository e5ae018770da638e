package iamcmd

import (
	"strconv"

	"aerie/services/iam"
)

// Limits are embedded by domains and accounts: what they may have and have.
type Limits struct {
	Resources
	ProjectLimit     string `json:"projectlimit" doc:"projects it may have"`
	ProjectTotal     int64  `json:"projecttotal" doc:"projects it has"`
	ProjectAvailable string `json:"projectavailable" doc:"projects left"`
}

// Resources are embedded by projects as well, which have none of their own.
type Resources struct {
	VMLimit              string  `json:"vmlimit" doc:"instances it may have"`
	VMTotal              int64   `json:"vmtotal" doc:"instances it has"`
	VMAvailable          string  `json:"vmavailable" doc:"instances left"`
	IPLimit              string  `json:"iplimit" doc:"public addresses it may have"`
	IPTotal              int64   `json:"iptotal" doc:"public addresses it has"`
	IPAvailable          string  `json:"ipavailable" doc:"public addresses left"`
	VolumeLimit          string  `json:"volumelimit" doc:"volumes it may have"`
	VolumeTotal          int64   `json:"volumetotal" doc:"volumes it has"`
	VolumeAvailable      string  `json:"volumeavailable" doc:"volumes left"`
	SnapshotLimit        string  `json:"snapshotlimit" doc:"snapshots it may have"`
	SnapshotTotal        int64   `json:"snapshottotal" doc:"snapshots it has"`
	SnapshotAvailable    string  `json:"snapshotavailable" doc:"snapshots left"`
	TemplateLimit        string  `json:"templatelimit" doc:"templates it may have"`
	TemplateTotal        int64   `json:"templatetotal" doc:"templates it has"`
	TemplateAvailable    string  `json:"templateavailable" doc:"templates left"`
	NetworkLimit         string  `json:"networklimit" doc:"networks it may have"`
	NetworkTotal         int64   `json:"networktotal" doc:"networks it has"`
	NetworkAvailable     string  `json:"networkavailable" doc:"networks left"`
	VPCLimit             string  `json:"vpclimit" doc:"VPCs it may have"`
	VPCTotal             int64   `json:"vpctotal" doc:"VPCs it has"`
	VPCAvailable         string  `json:"vpcavailable" doc:"VPCs left"`
	CPULimit             string  `json:"cpulimit" doc:"CPUs it may have"`
	CPUTotal             int64   `json:"cputotal" doc:"CPUs it has"`
	CPUAvailable         string  `json:"cpuavailable" doc:"CPUs left"`
	MemoryLimit          string  `json:"memorylimit" doc:"MiB of memory it may have"`
	MemoryTotal          int64   `json:"memorytotal" doc:"MiB of memory it has"`
	MemoryAvailable      string  `json:"memoryavailable" doc:"MiB of memory left"`
	PrimaryLimit         string  `json:"primarystoragelimit" doc:"GiB of primary storage it may have"`
	PrimaryTotal         int64   `json:"primarystoragetotal" doc:"GiB of primary storage it has"`
	PrimaryAvailable     string  `json:"primarystorageavailable" doc:"GiB of primary storage left"`
	SecondaryLimit       string  `json:"secondarystoragelimit" doc:"GiB of secondary storage it may have"`
	SecondaryTotal       float64 `json:"secondarystoragetotal" type:"float" doc:"GiB of secondary storage it has"`
	SecondaryAvailable   string  `json:"secondarystorageavailable" doc:"GiB of secondary storage left"`
	BackupLimit          string  `json:"backuplimit" doc:"backups it may have"`
	BackupTotal          int64   `json:"backuptotal" doc:"backups it has"`
	BackupAvailable      string  `json:"backupavailable" doc:"backups left"`
	BackupStoreLimit     string  `json:"backupstoragelimit" doc:"GiB of backup storage it may have"`
	BackupStoreTotal     int64   `json:"backupstoragetotal" doc:"GiB of backup storage it has"`
	BackupStoreAvailable string  `json:"backupstorageavailable" doc:"GiB of backup storage left"`
	BucketLimit          string  `json:"bucketlimit" doc:"buckets it may have"`
	BucketTotal          int64   `json:"buckettotal" doc:"buckets it has"`
	BucketAvailable      string  `json:"bucketavailable" doc:"buckets left"`
	ObjectStoreLimit     string  `json:"objectstoragelimit" doc:"GiB of object storage it may have"`
	ObjectStoreTotal     int64   `json:"objectstoragetotal" doc:"GiB of object storage it has"`
	ObjectStoreAvailable string  `json:"objectstorageavailable" doc:"GiB of object storage left"`
	GPULimit             string  `json:"gpulimit" doc:"GPUs it may have"`
	GPUTotal             int64   `json:"gputotal" doc:"GPUs it has"`
	GPUAvailable         string  `json:"gpuavailable" doc:"GPUs left"`

	Tagged []string `json:"taggedresources" doc:"limits of what carries a tag"`
}

// Fill takes the limits of all kinds, in their order.
func (l *Limits) Fill(of []iam.Limit) {
	l.Resources.Fill(of)
	p := of[iam.Projects]
	l.ProjectLimit, l.ProjectAvailable, l.ProjectTotal = orUnlimited(p.Max), orUnlimited(p.Available()), p.Shown()
}

// Fill takes the limits of all kinds, in their order.
func (l *Resources) Fill(of []iam.Limit) {
	for k, to := range map[iam.Kind]struct {
		limit, available *string
		total            *int64
	}{
		iam.Instances:        {&l.VMLimit, &l.VMAvailable, &l.VMTotal},
		iam.Addresses:        {&l.IPLimit, &l.IPAvailable, &l.IPTotal},
		iam.Volumes:          {&l.VolumeLimit, &l.VolumeAvailable, &l.VolumeTotal},
		iam.Snapshots:        {&l.SnapshotLimit, &l.SnapshotAvailable, &l.SnapshotTotal},
		iam.Templates:        {&l.TemplateLimit, &l.TemplateAvailable, &l.TemplateTotal},
		iam.Networks:         {&l.NetworkLimit, &l.NetworkAvailable, &l.NetworkTotal},
		iam.VPCs:             {&l.VPCLimit, &l.VPCAvailable, &l.VPCTotal},
		iam.CPUs:             {&l.CPULimit, &l.CPUAvailable, &l.CPUTotal},
		iam.Memory:           {&l.MemoryLimit, &l.MemoryAvailable, &l.MemoryTotal},
		iam.PrimaryStorage:   {&l.PrimaryLimit, &l.PrimaryAvailable, &l.PrimaryTotal},
		iam.SecondaryStorage: {&l.SecondaryLimit, &l.SecondaryAvailable, nil},
		iam.Backups:          {&l.BackupLimit, &l.BackupAvailable, &l.BackupTotal},
		iam.BackupStorage:    {&l.BackupStoreLimit, &l.BackupStoreAvailable, &l.BackupStoreTotal},
		iam.Buckets:          {&l.BucketLimit, &l.BucketAvailable, &l.BucketTotal},
		iam.ObjectStorage:    {&l.ObjectStoreLimit, &l.ObjectStoreAvailable, &l.ObjectStoreTotal},
		iam.GPUs:             {&l.GPULimit, &l.GPUAvailable, &l.GPUTotal},
	} {
		*to.limit, *to.available = orUnlimited(of[k].Max), orUnlimited(of[k].Available())
		if to.total != nil {
			*to.total = of[k].Shown()
		} else {
			l.SecondaryTotal = float64(of[k].Used) / float64(k.Unit())
		}
	}
}

func orUnlimited(n int64) string {
	if n < 0 {
		return "Unlimited"
	}
	return strconv.FormatInt(n, 10)
}
