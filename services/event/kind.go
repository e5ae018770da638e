package event

// Kind is what an alert is about. Numbers and names are CloudStack's.
type Kind struct {
	Number int16
	Name   string
}

// The kinds of alerts.
var (
	Memory           = Kind{0, "ALERT.MEMORY"}
	CPU              = Kind{1, "ALERT.CPU"}
	Storage          = Kind{2, "ALERT.STORAGE"}
	StorageAllocated = Kind{3, "ALERT.STORAGE.ALLOCATED"}
	PublicIP         = Kind{4, "ALERT.NETWORK.PUBLICIP"}
	PrivateIP        = Kind{5, "ALERT.NETWORK.PRIVATEIP"}
	SecondaryStorage = Kind{6, "ALERT.STORAGE.SECONDARY"}
	Host             = Kind{7, "ALERT.COMPUTE.HOST"}
	VM               = Kind{8, "ALERT.USERVM"}
	Router           = Kind{9, "ALERT.SERVICE.DOMAINROUTER"}
	ConsoleProxy     = Kind{10, "ALERT.SERVICE.CONSOLEPROXY"}
	Routing          = Kind{11, "ALERT.SERVICE.ROUTING"}
	StorageMisc      = Kind{12, "ALERT.STORAGE.MISC"}
	Usage            = Kind{13, "ALERT.USAGE"}
	Management       = Kind{14, "ALERT.MANAGEMENT"}
	RouterMigrate    = Kind{15, "ALERT.SERVICE.DOMAINROUTER.MIGRATE"}
	ConsoleMigrate   = Kind{16, "ALERT.SERVICE.CONSOLEPROXY.MIGRATE"}
	VMMigrate        = Kind{17, "ALERT.SERVICE.USERVM.MIGRATE"}
	VLAN             = Kind{18, "ALERT.NETWORK.VLAN"}
	StorageVM        = Kind{19, "ALERT.SERVICE.SSVM"}
	UsageResult      = Kind{20, "ALERT.USAGE.RESULT"}
	StorageDelete    = Kind{21, "ALERT.STORAGE.DELETE"}
	ResourceCount    = Kind{22, "ALERT.RESOURCE.COUNT"}
	UsageSanity      = Kind{23, "ALERT.USAGE.SANITY"}
	DirectIP         = Kind{24, "ALERT.NETWORK.DIRECTPUBLICIP"}
	LocalStorage     = Kind{25, "ALERT.STORAGE.LOCAL"}
	LimitExceeded    = Kind{26, "ALERT.RESOURCE.EXCEED"}
	Sync             = Kind{27, "ALERT.TYPE.SYNC"}
	Upload           = Kind{28, "ALERT.UPLOAD.FAILED"}
	OutOfBand        = Kind{29, "ALERT.OOBM.AUTHERROR"}
	HighAvailability = Kind{30, "ALERT.HA.ACTION"}
	Certificate      = Kind{31, "ALERT.CA.CERT"}
	VMSnapshot       = Kind{32, "ALERT.VM.SNAPSHOT"}
	Job              = Kind{40, "ALERT.JOB"} // Aerie's own
)

// Kinds are all kinds in the order of their numbers.
func Kinds() []Kind {
	return []Kind{
		Memory, CPU, Storage, StorageAllocated, PublicIP, PrivateIP, SecondaryStorage, Host, VM, Router, ConsoleProxy, Routing,
		StorageMisc, Usage, Management, RouterMigrate, ConsoleMigrate, VMMigrate, VLAN, StorageVM, UsageResult, StorageDelete,
		ResourceCount, UsageSanity, DirectIP, LocalStorage, LimitExceeded, Sync, Upload, OutOfBand, HighAvailability, Certificate,
		VMSnapshot, Job,
	}
}
