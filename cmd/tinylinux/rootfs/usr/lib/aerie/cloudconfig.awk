# Turns a small part of cloud-config into calls of the functions in userdata:
# hostname, fqdn, password, chpasswd.list, ssh_authorized_keys, write_files
# and runcmd (last, as cloud-init does). Everything else is passed over.

function quote(s) { gsub(/'/, "'\\''", s); return "'" s "'" }

# value: a plain or quoted scalar.
function value(s,  c) {
	sub(/^[ \t]+/, "", s); sub(/[ \t\r]+$/, "", s)
	c = substr(s, 1, 1)
	if (c == "\"" && s ~ /"$/) {
		s = substr(s, 2, length(s) - 2)
		gsub(/\\n/, "\n", s); gsub(/\\"/, "\"", s)
		return s
	}
	if (c == "'" && s ~ /'$/) { s = substr(s, 2, length(s) - 2); gsub(/''/, "'", s); return s }
	sub(/[ \t]+#.*$/, "", s)
	return s
}

# words: [a, "b c"] as the words of a shell command.
function words(s,  out, part, i, n) {
	sub(/^\[/, "", s); sub(/\][ \t\r]*$/, "", s)
	n = split(s, part, /,[ \t]*/)
	for (i = 1; i <= n; i++) out = out (i > 1 ? " " : "") quote(value(part[i]))
	return out
}

function end_file() {
	if (path != "")
		print "write_file " quote(path) " " quote(mode) " " quote(owner) " " quote(encoding) " " quote(content)
	path = mode = owner = encoding = content = ""
}

function command(s) { if (s != "") commands = commands s "\n" }

# give: hands a finished value to the section it stands in.
function give(section, key, v) {
	if (section == "hostname" || section == "fqdn") print "set_host " quote(v)
	else if (section == "password") print "set_password aerie " quote(v) "\nset_password root " quote(v)
	else if (section == "chpasswd" && key == "list") print "set_passwords <<'END_OF_LIST'\n" v "\nEND_OF_LIST"
	else if (section == "ssh_authorized_keys") print "echo " quote(v) " | add_keys"
	else if (section == "runcmd") command(v)
	else if (section == "write_files") {
		if (key == "path") path = v
		else if (key == "permissions") mode = v
		else if (key == "owner") owner = v
		else if (key == "encoding") encoding = v
		else if (key == "content") content = v
	}
}

function end_block() {
	if (!inblock) return
	inblock = 0
	if (!keep) sub(/\n+$/, "", block)
	else sub(/\n+$/, "\n", block)
	give(section, blockkey, block)
}

# begin: a value which is there at once, or the start of a block.
function begin(key, v, indent) {
	if (v ~ /^[|>][-+0-9]*[ \t\r]*$/) {
		inblock = 1; block = ""; blockkey = key; outer = indent; inner = -1; keep = v !~ /-/
		return
	}
	if (v != "") give(section, key, section == "runcmd" && v ~ /^\[/ ? words(v) : value(v))
}

{
	sub(/\r$/, "")
	match($0, /^ */); indent = RLENGTH; text = substr($0, indent + 1)
	if (inblock) {
		if (text == "") { block = block "\n"; next }
		if (inner < 0 && indent > outer) inner = indent
		if (inner >= 0 && indent >= inner) { block = block substr($0, inner + 1) "\n"; next }
		end_block()
	}
	if (text == "" || text ~ /^#/) next
	if (indent == 0 && text !~ /^- /) {
		end_file()
		section = text; sub(/:.*/, "", section)
		v = text; sub(/^[^:]*:[ \t]*/, "", v)
		begin("", v, 0)
		next
	}
	if (text ~ /^-( |$)/) {
		sub(/^-[ \t]*/, "", text); indent += 2
		if (section == "write_files") end_file()
		else if (section == "chpasswd") next
		else { begin("", text, indent - 2); next }
	}
	if (match(text, /^[A-Za-z_]+:/)) {
		key = substr(text, 1, RLENGTH - 1)
		v = substr(text, RLENGTH + 1); sub(/^[ \t]+/, "", v)
		begin(key, v, indent)
	}
}

END { end_block(); end_file(); printf "%s", commands }
