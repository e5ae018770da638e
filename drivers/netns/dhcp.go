package netns

import (
	"context"
	"os"
	"path/filepath"
	"syscall"

	"aerie/drivers"
)

// The files of a router's directory, besides state.json.
const (
	confFile  = "dnsmasq.conf"
	pidFile   = "dnsmasq.pid"
	leaseFile = "leases"
	dhcpFile  = "dhcp-hosts"
	dnsFile   = "dns-hosts"
)

// ensureDNSMasq makes dnsmasq serve the spec. It restarts when its
// configuration is another, or on demand; new hosts it rereads.
func (d *Driver) ensureDNSMasq(ctx context.Context, r router, ns space, s drivers.RouterSpec, restart bool) error {
	running, err := r.dnsmasqOf(ns)
	if err != nil {
		return err
	}
	defer running.close()
	if s.Guest.NoDHCP && s.Guest.NoDNS {
		return r.retire(ctx, running)
	}
	gone, err := r.departed(s.Hosts)
	if err != nil {
		return err
	}
	conf, hosts, err := r.writeHosts(s)
	if err != nil {
		return err
	}
	if running == nil || conf || restart {
		return d.restart(ctx, r, ns, s, running)
	}
	if hosts {
		if err := running.signal(syscall.SIGHUP); err != nil {
			return err
		}
	}
	if err := r.takeBack(ctx, ns, s, gone); err != nil {
		d.log.WarnContext(ctx, "dnsmasq keeps leases, it is started anew", "router", r.id, "error", err)
		return d.restart(ctx, r, ns, s, running)
	}
	return nil
}

// retire ends a dnsmasq that has nothing to serve.
func (r router) retire(ctx context.Context, running *process) error {
	if running != nil {
		if err := running.end(ctx); err != nil {
			return err
		}
	}
	return removeFiles(r.dir, confFile, pidFile, dhcpFile, dnsFile, leaseFile)
}

// writeHosts writes dnsmasq's files and tells what has changed.
func (r router) writeHosts(s drivers.RouterSpec) (conf, hosts bool, err error) {
	conf, err = changeFile(filepath.Join(r.dir, confFile), dnsmasqConf(s, r.dir))
	if err != nil {
		return false, false, err
	}
	dhcp, err := changeFile(filepath.Join(r.dir, dhcpFile), dhcpHosts(s.Hosts))
	if err != nil {
		return false, false, err
	}
	dns, err := changeFile(filepath.Join(r.dir, dnsFile), dnsHosts(s))
	return conf, dhcp || dns, err
}

// restart starts dnsmasq with the leases that are still right.
func (d *Driver) restart(ctx context.Context, r router, ns space, s drivers.RouterSpec, running *process) error {
	if running != nil {
		if err := running.end(ctx); err != nil {
			return err
		}
	} else if _, err := os.Stat(filepath.Join(r.dir, pidFile)); err == nil { // one was there before
		if err := r.endStrays(ctx); err != nil {
			return err
		}
	}
	if err := r.keepLeases(s.Hosts); err != nil {
		return err
	}
	return ns.run(ctx, "", d.tools.dnsmasq, "--conf-file="+filepath.Join(r.dir, confFile))
}
