package label

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
)

// AddNoteRequest comments on a resource.
type AddNoteRequest struct {
	Text       string `json:"annotation" max:"4096" doc:"the text of the comment"`
	Type       string `json:"entitytype" doc:"the type of the resource, such as VM"`
	ID         string `json:"entityid" doc:"the resource"`
	AdminsOnly bool   `json:"adminsonly" doc:"true shows the comment to root administrators alone, who alone may ask for it"`
}

func (s *Service) addNoteCommand() *command.Command {
	return command.New(command.Meta{
		Name: "addAnnotation", Object: "annotation", Event: "ANNOTATION.CREATE", Roles: command.Everyone, Doc: "Adds a comment to a resource",
	}, s.addNote)
}

func (s *Service) addNote(ctx context.Context, r AddNoteRequest) (NoteView, error) {
	k, err := s.kind("entitytype", r.Type, 0)
	if err != nil {
		return NoteView{}, err
	}
	if strings.TrimSpace(r.Text) == "" {
		return NoteView{}, fault.Param("annotation", "error.required")
	}
	if r.AdminsOnly && !isRoot(ctx) {
		return NoteView{}, fault.Param("adminsonly", "error.admin_only")
	}
	f, err := s.find(ctx, k, "entityid", r.ID)
	if err != nil {
		return NoteView{}, err
	}
	owned, err := store.For(ctx, f.Owner)
	if err != nil {
		return NoteView{}, err
	}
	actor, _ := store.From(ctx)
	n := Note{
		Row: store.Row{ID: s.db.NewID()}, Kind: k.Entity, ResourceID: f.ID, Text: r.Text, UserID: actor.UserID, AdminsOnly: r.AdminsOnly,
	}
	if err := gorm.G[Note](s.db.In(owned)).Create(owned, &n); err != nil {
		return NoteView{}, err
	}
	about(ctx, k, f)
	return s.noteView(ctx, n)
}

func isRoot(ctx context.Context) bool {
	actor, _ := store.From(ctx)
	return actor.IsSystem() || actor.Rank == store.Admin
}
