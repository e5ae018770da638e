package proof_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"

	"github.com/emersion/go-smtp"

	"aerie/services/command"
	"aerie/services/compute"
	"aerie/services/iam"
	"aerie/services/mail"
	"aerie/services/proof"
)

// keyring is a project with a key pair, which needs no job to go.
func keyring(w *proof.World) (id string, drop func()) {
	id = w.Call(w.Admin, "createProject", "name", "apollo").(command.Accepted).ID
	w.JSON(w.Admin, "createSSHKeyPair", "name", "key", "projectid", id)
	return id, func() {
		if w.Count(&iam.Project{}, "id = ?", id) > 0 {
			w.Call(w.Admin, "deleteProject", "id", id, "cleanup", "true")
		}
	}
}

// projectIn is what is wrong with a project that shall be in that state.
func projectIn(w *proof.World, id string, want iam.ProjectState) func() error {
	return func() error { return some(w, 1, &iam.Project{}, "id = ? AND state = ?", id, want) }
}

func projectDelete(w *proof.World) proof.Case {
	id, drop := keyring(w)
	return proof.Case{
		Forward: true, Submit: w.Command("deleteProject", "id", id, "cleanup", "true"), After: drop,
		Whole: func() error {
			return errors.Join(some(w, 0, &iam.Project{}, "id = ?", id), some(w, 0, &iam.Account{}, "id = ?", id),
				some(w, 0, &iam.Member{}, "project_id = ?", id), some(w, 0, &compute.SSHKey{}, "account_id = ?", id))
		},
	}
}

// projectSuspend: the project is suspended when its job is accepted, which only
// stops what runs.
func projectSuspend(w *proof.World) proof.Case {
	id, drop := keyring(w)
	ask := projectIn(w, id, iam.ProjectSuspended)
	return proof.Case{Submit: w.Command("suspendProject", "id", id), Whole: ask, Empty: ask, After: drop}
}

// projectDone is the job of what was done when the command was accepted.
func projectDone(w *proof.World) proof.Case {
	id, drop := keyring(w)
	ask := projectIn(w, id, iam.ProjectActive)
	return proof.Case{Submit: w.Command("activateProject", "id", id), Whole: ask, Empty: ask, After: drop}
}

// letters is a mail server that counts what it gets.
type letters struct{ n atomic.Int64 }

func (l *letters) NewSession(*smtp.Conn) (smtp.Session, error) { return l, nil }

func (*letters) Mail(string, *smtp.MailOptions) error { return nil }

func (*letters) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (l *letters) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	l.n.Add(1)
	return err
}

func (*letters) Reset() {}

func (*letters) Logout() error { return nil }

// mailSend: a mail that was sent cannot be taken back, and may come twice.
func mailSend(w *proof.World) proof.Case {
	got := &letters{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.Must(err)
	server := smtp.NewServer(got)
	go func() { _ = server.Serve(listener) }()
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	for name, value := range map[string]string{"smtp.host": host, "smtp.port": port, "smtp.security": mail.None, "email.sender": "cloud@example.com"} {
		_, err := w.Config.Set(w.Admin, "project."+name, value)
		w.Must(err)
	}
	return proof.Case{
		Submit: func(ctx context.Context) error {
			return w.Projects.Mail.Send(ctx, mail.Message{To: []string{"amy@example.com"}, Subject: "Hello", Text: "Hello."})
		},
		Whole: func() error {
			if got.n.Load() == 0 {
				return errors.New("no mail came")
			}
			return nil
		},
		Empty: func() error { return nil },
		After: func() { _ = server.Close() },
	}
}
