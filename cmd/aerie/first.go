package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"aerie/services/compute"
	"aerie/services/store"
)

// passwordFile keeps the administrator's first password.
const passwordFile = "admin-password"

// first makes what a first start needs: the administrator, the offerings and
// the zone "local". It returns the administrator's password when it made one.
func (a *app) first(ctx context.Context, auto bool) (password string, err error) {
	if given := os.Getenv("AERIE_ADMIN_PASSWORD"); given != "" {
		if _, err := a.iam.Bootstrap(ctx, given); err != nil {
			return "", err
		}
		return "", a.seed(ctx, auto)
	}
	switch _, err := a.iam.Root(store.System(ctx, "first start")); {
	case err == nil:
		return "", a.seed(ctx, auto)
	case !store.IsAbsent(err):
		return "", err
	}
	// Kept before it holds: a start that dies in between finds it in the file.
	if password, err = a.firstPassword(); err != nil {
		return "", err
	}
	if password, err = a.bootstrap(ctx, password); err != nil {
		return "", err
	}
	return password, a.seed(ctx, auto)
}

// bootstrap makes the administrator. When another server was quicker, with a
// password of its own, the file goes: what is in it opens nothing.
func (a *app) bootstrap(ctx context.Context, password string) (string, error) {
	created, err := a.iam.Bootstrap(ctx, password)
	if err != nil || created {
		return password, err
	}
	fits, err := a.iam.IsAdminPassword(ctx, password)
	if err != nil || fits {
		return "", err
	}
	return "", os.Remove(a.path(passwordFile))
}

// firstPassword is the password in the file, which is made when it is not there.
func (a *app) firstPassword() (string, error) {
	file := a.path(passwordFile)
	for range 2 {
		text, err := os.ReadFile(file)
		if password := strings.TrimSpace(string(text)); err == nil && password != "" {
			return password, nil
		}
		if err == nil { // there, and empty
			err = os.Remove(file)
		} else if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err != nil {
			return "", err
		}
		if err := a.keepPassword(file); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%s is empty", file)
}

// keepPassword makes the file whole or not at all. One that is there by now is
// of a server beside this one, and stays.
func (a *app) keepPassword(file string) error {
	password, err := compute.NewPassword(randomness)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(a.Data, 0o750); err != nil {
		return err
	}
	f, err := os.CreateTemp(a.Data, ".password-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(password + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(a.Data)
}

// syncFolder makes the names in a folder survive a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
