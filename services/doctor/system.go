package doctor

import "context"

// What many routers need: each dnsmasq watches its files, and so do other services.
const (
	wantInstances = 512
	wantWatches   = 65536
)

func inotify(_ context.Context, m Machine) []Result {
	for _, l := range []struct {
		name string
		want int64
	}{{"max_user_instances", wantInstances}, {"max_user_watches", wantWatches}} {
		n, err := m.number("/proc/sys/fs/inotify/" + l.name)
		if err != nil {
			return warn("inotify", "", "the limits cannot be read: %v", err)
		}
		if n < l.want {
			return warn("inotify", "sysctl -w fs.inotify."+l.name+"=1024 (max_user_watches: 524288), and write it to /etc/sysctl.d/", "%s is %d: many networks on one machine need more", l.name, n)
		}
	}
	return ok("inotify", "the limits are high enough for many networks")
}

func clock(_ context.Context, m Machine) []Result {
	synced, err := m.Synced()
	switch {
	case err != nil:
		return warn("clock", "apt-get install chrony", "whether the clock is right cannot be told: %v", err)
	case !synced:
		return warn("clock", "apt-get install chrony", "no time service keeps the clock: signatures and leases of several servers need the same time")
	}
	return ok("clock", "a time service keeps the clock")
}

func database(ctx context.Context, m Machine) []Result {
	have, want, err := m.Schema(ctx)
	switch {
	case err != nil:
		return bad("database", "see that it runs and that --database is right", "the database does not answer: %v", err)
	case want == 0:
		return ok("database", "there is none yet; aerie serve makes it")
	case have > want:
		return bad("database", "run the newer program", "the schema is %d, this program knows %d", have, want)
	case have < want:
		return warn("database", "aerie migrate, or aerie serve", "the schema is %d, this program wants %d", have, want)
	}
	return ok("database", "it answers and has schema %d", have)
}

func image(_ context.Context, m Machine) []Result {
	if err := m.Image(); err != nil {
		return warn("guest image", "make guest builds it, AERIE_GUEST_IMAGE names another; or register a template of your own",
			"the bundled guest image is missing (%v): a first start makes no template", err)
	}
	return ok("guest image", "the bundled guest image is there")
}
