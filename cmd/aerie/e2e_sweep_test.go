package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// sweepMachine removes from the machine what a server made there and that its
// test did not remove, and the server's folder.
func sweepMachine(data string) (errs []error) {
	sh := func(name string, args ...string) string {
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %v: %w: %s", name, args, err, out))
		}
		return string(out)
	}
	for _, id := range machinesOf(data) {
		_ = exec.Command("virsh", "-q", "-c", "qemu:///system", "destroy", id).Run()
		sh("virsh", "-q", "-c", "qemu:///system", "undefine", "--nvram", id)
	}
	if text, err := os.ReadFile(filepath.Join(data, prefixFile)); err == nil {
		prefix := strings.TrimSpace(string(text))
		for _, pid := range processes(filepath.Join(data, "routers")) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		for _, ns := range namespacesOf(prefix) {
			sh("ip", "netns", "del", ns)
		}
		for range 5 { // links go with their other ends, and those of a namespace a little later
			for _, link := range linksOf(prefix) {
				_ = exec.Command("ip", "link", "del", link).Run()
			}
		}
		if left := linksOf(prefix); len(left) > 0 {
			errs = append(errs, fmt.Errorf("links stay: %v", left))
		}
		for _, table := range []string{"aerie_guard_" + prefix, "aerie_" + prefix + "pub", "aerie_fence_" + prefix + "pub"} {
			_ = exec.Command("nft", "delete", "table", "inet", table).Run()
		}
	}
	return append(errs, os.RemoveAll(data))
}

// machinesOf is the ids of machines whose disks are in the folder.
func machinesOf(data string) (ids []string) {
	out, err := exec.Command("virsh", "-q", "-c", "qemu:///system", "list", "--all", "--uuid").Output()
	if err != nil {
		return nil
	}
	for _, id := range strings.Fields(string(out)) {
		text, err := exec.Command("virsh", "-q", "-c", "qemu:///system", "dumpxml", id).Output()
		if err == nil && strings.Contains(string(text), data+"/") {
			ids = append(ids, id)
		}
	}
	return ids
}

func namespacesOf(prefix string) (names []string) {
	files, _ := filepath.Glob(filepath.Join("/run/netns", prefix+"r*"))
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	return names
}

// linksOf is the bridges that carry the prefix in their alias, and the links
// that carry it in their name.
func linksOf(prefix string) (names []string) {
	out, err := exec.Command("ip", "-j", "link").Output()
	var links []struct {
		Name  string `json:"ifname"`
		Alias string `json:"ifalias"`
	}
	if err != nil || json.Unmarshal(out, &links) != nil {
		return nil
	}
	for _, l := range links {
		if strings.HasPrefix(l.Name, prefix) || strings.HasPrefix(l.Alias, "aerie/"+prefix+"/") {
			names = append(names, l.Name)
		}
	}
	return names
}

// processes are those with the text in their command line.
func processes(text string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file)
		var pid int
		if err == nil && strings.Contains(string(line), text) {
			if _, err := fmt.Sscanf(file, "/proc/%d/cmdline", &pid); err == nil && pid != os.Getpid() {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
