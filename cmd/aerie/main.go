// Command aerie is the server: the portal, the API, the workers behind them,
// and the tools that look after an installation.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build.
var version = "dev"

// cli is the command line. Others script against it: flags, environment
// variables and exit codes are a contract.
type cli struct {
	Serve   serveCommand   `cmd:"" help:"Run the portal, the API and the workers."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to this program's version."`
	Doctor  doctorCommand  `cmd:"" help:"Tell what this machine lacks as a host, and how to mend it."`
	Audit   auditCommand   `cmd:"" help:"Check that database, hosts and files agree."`
	Bench   benchCommand   `cmd:"" help:"Measure this machine and this program side by side."`
	Docs    docsCommand    `cmd:"" help:"Print the API's commands and their parameters."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// state is where an installation keeps what it knows.
type state struct {
	Data     string `help:"Folder of the embedded database, images and keys." default:"./var" env:"AERIE_DATA" type:"path"`
	Database string `help:"sqlite:PATH or mysql:USER:PASS@tcp(HOST:PORT)/DB; SQLite under the data folder by default." env:"AERIE_DATABASE"`
}

func (s state) dsn() string {
	if s.Database != "" {
		return s.Database
	}
	return "sqlite:" + s.path("aerie.db")
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var c cli
	asked := false // for help, which kong prints and then goes on
	parser, err := kong.New(&c, kong.Name("aerie"), kong.Description("Run your own cloud."), kong.Writers(out, errs),
		kong.Exit(func(int) { asked = true }), kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)), kong.BindTo(out, (*io.Writer)(nil)))
	if err != nil {
		fmt.Fprintln(errs, "aerie:", err)
		return 2
	}
	k, err := parser.Parse(args)
	if asked {
		return 0
	}
	if err != nil {
		parser.FatalIfErrorf(err)
		return 2
	}
	if err := k.Run(); err != nil {
		fmt.Fprintln(errs, "aerie:", err)
		return 1
	}
	return 0
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(out io.Writer) error {
	_, err := fmt.Fprintln(out, "aerie", version)
	return err
}
