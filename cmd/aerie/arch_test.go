package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The dependency rule: cmd → handlers → services → drivers, handlers → views,
// and within services a package imports only packages printed above it.

// order is how services are printed, from those that all may use to those that
// use all. A sub-package such as iam/iamcmd stands where it is named.
var order = []string{
	"services/fault", "services/guard", "services/store", "services/store/storetest", "services/config", "services/event", "services/state",
	"services/state/statetest", "services/job", "services/job/jobtest", "services/mail", "services/alarm", "services/iam", "services/command", "services/command/spec",
	"services/command/builtin", "services/config/configcmd", "services/label", "services/catalog", "services/iam/iamcmd", "services/infra", "services/placement",
	"services/image", "services/network", "services/storage", "services/compute", "services/signon", "services/project", "services/webhook", "services/reconcile", "services/audit", "services/doctor", "services/proof",
}

// leaves may be used by everybody and use nothing of Aerie.
var leaves = []string{"locales", "static"}

// may lists what each layer may import besides itself and the leaves.
var may = map[string][]string{
	"cmd":      {"handlers", "services", "drivers", "views"},
	"handlers": {"services", "views"},
	"views":    {"services"},
	"services": {"drivers"},
	"drivers":  {},
	"locales":  {},
	"static":   {},
}

func TestDependencyRule(t *testing.T) {
	for file, imports := range importsOf(t) {
		dir := filepath.ToSlash(filepath.Dir(file))
		layer, _, _ := strings.Cut(dir, "/")
		for _, imp := range imports {
			to, _, _ := strings.Cut(imp, "/")
			switch {
			case slices.Contains(leaves, to) && to != layer:
			case to == layer:
				if layer == "services" && !above(imp, dir) {
					t.Errorf("%s: %s imports %s, which is printed below it", file, dir, imp)
				}
			case !slices.Contains(may[layer], to) && !(isTest(file) && layer != "drivers"):
				t.Errorf("%s: %s must not import %s", file, layer, imp)
			case to == "drivers" && layer == "handlers" && !strings.HasPrefix(dir, "handlers/agent") && imp != "drivers" && !isTest(file):
				t.Errorf("%s: only handlers/agent calls drivers", file)
			}
		}
	}
}

// above tells whether the imported package is printed above the importing one.
func above(imported, importing string) bool {
	if strings.HasPrefix(importing, "services/proof") {
		return true
	}
	i, j := slices.Index(order, imported), slices.Index(order, importing)
	return i >= 0 && j >= 0 && i <= j
}

func isTest(file string) bool {
	return strings.HasSuffix(file, "_test.go") || strings.Contains(file, "test/")
}

// importsOf reads the imports of every Go file that belong to Aerie.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	out := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "var" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		for _, spec := range f.Imports {
			if name, _ := strconv.Unquote(spec.Path.Value); strings.HasPrefix(name, "aerie/") && !strings.HasSuffix(rel, "_test.go") {
				out[rel] = append(out[rel], strings.TrimPrefix(name, "aerie/"))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTopLevel: nothing else stands beside the agreed folders.
func TestTopLevel(t *testing.T) {
	agreed := []string{
		"cmd", "views", "static", "handlers", "services", "drivers", "locales", "go.mod", "go.sum", "Makefile", "README.md",
		"LICENSE", "package.json", "package-lock.json", "bin", "var", "node_modules",
	}
	entries, err := os.ReadDir(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(agreed, e.Name()) {
			t.Errorf("%s does not belong at the top", e.Name())
		}
	}
}
