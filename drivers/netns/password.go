package netns

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"aerie/drivers"
)

// The words of CloudStack's password protocol.
const (
	passwordHeader = "DomU_Request"
	askPassword    = "send_my_password"
	savedPassword  = "saved_password"
	badRequest     = "bad_request"
)

// password hands a guest its password until the guest says that it has it.
func (s *service) password(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	host, ok := s.guest(r)
	answer := badRequest
	if ok {
		var err error
		if answer, err = s.converse(host, r.Header.Get(passwordHeader)); err != nil {
			s.log.Error("password service", "nic", host.NIC, "error", err)
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
	}
	_, _ = io.WriteString(w, answer)
}

func (s *service) converse(host drivers.RouterHost, request string) (string, error) {
	switch request {
	case askPassword:
		taken, err := isTaken(s.taken, host)
		if err != nil || taken || host.Password == "" {
			return savedPassword, err
		}
		return host.Password, nil
	case savedPassword:
		return savedPassword, take(s.taken, host)
	default:
		return badRequest, nil
	}
}

// isTaken tells whether the guest has had this very password.
func isTaken(dir string, host drivers.RouterHost) (bool, error) {
	id, err := os.ReadFile(filepath.Join(dir, host.NIC))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return strings.TrimSuffix(string(id), "\n") == host.PasswordID, err
}

// take remembers for good that the guest has its password. It outlives the
// router: one that is built anew must not hand it out again.
func take(dir string, host drivers.RouterHost) error {
	if host.Password == "" {
		return nil
	}
	if taken, err := isTaken(dir, host); err != nil || taken {
		return err
	}
	temp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already when all went well
	_, err = temp.WriteString(host.PasswordID + "\n")
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), filepath.Join(dir, host.NIC))
}
