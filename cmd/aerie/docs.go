package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"aerie/services/command"
	"aerie/services/store"
)

type docsCommand struct {
	JSON bool `name:"json" help:"Print what listApis answers an administrator."`
}

// Run prints all commands. They describe themselves, so that no installation
// is needed: the database is an empty one that nobody looks at.
func (c docsCommand) Run(ctx context.Context, out io.Writer) error {
	temp, err := os.MkdirTemp("", "aerie-docs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	a, err := open(ctx, state{Data: temp}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer a.close()
	all := a.registry.Describe(store.System(ctx, "documentation"))
	if c.JSON {
		return printJSON(out, all)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# API commands\n\n%d commands. Every one also takes `response=json`.\n", len(all))
	for _, api := range all {
		describe(&b, api)
	}
	_, err = io.WriteString(out, b.String())
	return err
}

func describe(b *strings.Builder, api command.API) {
	async := ""
	if api.Async {
		async = " Answers a job."
	}
	fmt.Fprintf(b, "\n## %s\n\n%s.%s\n", api.Name, strings.TrimSuffix(api.Description, "."), async)
	if len(api.Params) == 0 {
		return
	}
	b.WriteString("\n| parameter | type | |\n|---|---|---|\n")
	for _, p := range api.Params {
		required := ""
		if p.Required {
			required = "**required**; "
		}
		fmt.Fprintf(b, "| %s | %s | %s%s |\n", p.Name, p.Type, required, strings.ReplaceAll(p.Description, "|", "\\|"))
	}
}
