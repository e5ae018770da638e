package tinylinux_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestCloudConfig holds what the guest makes of user data. The functions it
// calls belong to the guest's userdata script.
func TestCloudConfig(t *testing.T) {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		missing(t, err.Error()+": run cmd/setup/packages.sh test")
	}
	for name, test := range map[string]struct{ data, want string }{
		"host name":       {"hostname: web-1 # the first\n", "set_host 'web-1'\n"},
		"quoted":          {"fqdn: \"web.example.org\"\r\n", "set_host 'web.example.org'\n"},
		"quotes inside":   {"runcmd:\n  - echo 'it''s'\n", "echo 'it''s'\n"},
		"password":        {"password: s3'cret\n", "set_password aerie 's3'\\''cret'\nset_password root 's3'\\''cret'\n"},
		"password list":   {"chpasswd:\n  expire: false\n  list: |\n    root:a\n    aerie:b\n", "set_passwords <<'END_OF_LIST'\nroot:a\naerie:b\n\nEND_OF_LIST\n"},
		"keys":            {"ssh_authorized_keys:\n- ssh-ed25519 AAAA me@home\n", "echo 'ssh-ed25519 AAAA me@home' | add_keys\n"},
		"commands last":   {"runcmd:\n - [ls, -l, \"a b\"]\n - |\n   one\n     two\nhostname: h\n", "set_host 'h'\n'ls' '-l' 'a b'\none\n  two\n\n"},
		"two files":       {"write_files:\n- content: aGk=\n  encoding: b64\n  path: /a\n- path: /b\n  owner: aerie\n  permissions: '0600'\n", "write_file '/a' '' '' 'b64' 'aGk='\nwrite_file '/b' '0600' 'aerie' '' ''\n"},
		"block, blank":    {"write_files:\n  - path: /a\n    content: |-\n      x\n\n      y\n", "write_file '/a' '' '' '' 'x\n\ny'\n"},
		"unknown section": {"packages:\n  - nginx\nusers:\n  - name: x\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), busybox, "awk", "-f", "rootfs/usr/lib/aerie/cloudconfig.awk")
			cmd.Stdin = strings.NewReader("#cloud-config\n" + test.data)
			out, err := cmd.CombinedOutput()
			if err != nil || string(out) != test.want {
				t.Errorf("got %q (%v), want %q", out, err, test.want)
			}
		})
	}
}
