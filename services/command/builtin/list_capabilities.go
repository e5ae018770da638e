package builtin

import (
	"context"

	"aerie/services/command"
)

// Capability is what clients ask before they show or do something.
type Capability struct {
	AdditionalConfig     bool   `json:"additionalconfigenabled"`
	UserCreateProjects   bool   `json:"allowusercreateprojects"`
	UserExpungeVM        bool   `json:"allowuserexpungerecovervm"`
	UserExpungeVolume    bool   `json:"allowuserexpungerecovervolume"`
	UserForceStop        bool   `json:"allowuserforcestopvm"`
	UserViewAccounts     bool   `json:"allowuserviewalldomainaccounts"`
	UserViewDestroyed    bool   `json:"allowuserviewdestroyedvm"`
	LimitInterval        int    `json:"apilimitinterval,omitempty"`
	LimitMax             int    `json:"apilimitmax,omitempty"`
	Version              string `json:"cloudstackversion"`
	DiskMax              int64  `json:"customdiskofferingmaxsize"`
	DiskMin              int64  `json:"customdiskofferingminsize"`
	HypervisorName       string `json:"customhypervisordisplayname"`
	PageSize             int64  `json:"defaultuipagesize"`
	DynamicRoles         bool   `json:"dynamicrolesenabled"`
	DynamicScaling       bool   `json:"dynamicscalingenabled"`
	ExtensionsPath       string `json:"extensionspath" view:"admin"`
	Lease                bool   `json:"instanceleaseenabled"`
	DiskStats            bool   `json:"instancesdisksstatsretentionenabled"`
	DiskStatsTime        int    `json:"instancesdisksstatsretentiontime"`
	StatsTime            int    `json:"instancesstatsretentiontime"`
	StatsUserOnly        bool   `json:"instancesstatsuseronly"`
	KubernetesExperiment bool   `json:"kubernetesclusterexperimentalfeaturesenabled"`
	Kubernetes           bool   `json:"kubernetesserviceenabled"`
	KVMSnapshot          bool   `json:"kvmsnapshotenabled"`
	ProjectInvite        bool   `json:"projectinviterequired"`
	RegionSecondary      bool   `json:"regionsecondaryenabled"`
	SecurityGroups       bool   `json:"securitygroupsenabled"`
	SharedFSCPU          int    `json:"sharedfsvmmincpucount"`
	SharedFSRAM          int    `json:"sharedfsvmminramsize"`
	ELB                  string `json:"supportELB"`
	UserPublicTemplate   bool   `json:"userpublictemplateenabled"`
}

// Defaults are the capabilities where no setting says otherwise.
var Defaults = Capability{
	Version: command.Version, UserCreateProjects: true, DiskMin: 1, DiskMax: 1024, HypervisorName: "Custom", PageSize: 20,
	DynamicRoles: true, DynamicScaling: true, KVMSnapshot: true, StatsTime: 720, DiskStatsTime: 720,
	SecurityGroups: true, SharedFSCPU: 2, SharedFSRAM: 1024, ELB: "false", UserPublicTemplate: true,
}

func (s *Service) listCapabilities() *command.Command {
	return command.New(command.Meta{
		Name: "listCapabilities", Object: "capability", Roles: command.Everyone,
		Doc: "Lists capabilities",
	}, func(ctx context.Context, _ command.None) (Capability, error) {
		if s.Capability == nil {
			return Defaults, nil
		}
		c := s.Capability(ctx)
		c.Version = command.Version
		return c, nil
	})
}
